"""The way back under a freeze: refused before it begins, stopped where it is, and gone on with."""

import asyncio
from typing import Any

import pytest

from playbooks.case.answers import Waiting
from playbooks.case.way_back import go_back, planned
from playbooks.errors import FrozenError
from playbooks.wiring.gated import mutating
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.case.test_freezing import frozen, thawed
from tests.playbooks.scene import Scene, apart


@apart
def test_nothing_is_undone_while_it_is_frozen(scene: Scene) -> None:
    incident, end = scene.play(tagging)
    assert end.state == "Completed"
    case = scene.case(incident)
    undos = asyncio.run(planned(case, "rollback"))
    frozen(scene)
    with pytest.raises(FrozenError, match=r"alice.*unfreeze"):
        asyncio.run(go_back(case, undos, "alice"))
    assert scene.questions(incident) == []
    thawed(scene)
    with pytest.raises(Waiting):
        asyncio.run(go_back(case, undos, "alice"))
    scene.say(scene.asked(incident))
    in_the_middle(scene)
    with pytest.raises(FrozenError):
        asyncio.run(go_back(case, undos, "alice"))
    assert scene.changed() == ["CreateTags"]
    thawed(scene)
    undos = asyncio.run(planned(case, "rollback"))
    assert [one.why for one in asyncio.run(go_back(case, undos, "alice"))] == [""]
    assert scene.changed() == ["CreateTags", "DeleteTags"]


def in_the_middle(scene: Scene) -> None:
    """Freeze everything once the next mutating call is about to be made."""
    client, done = scene.aws("ec2"), []

    def about(model: Any, **_: Any) -> None:
        if mutating(model.name) and not done:
            done.append(model.name)
            frozen(scene)

    client.meta.events.register("before-call", about)
