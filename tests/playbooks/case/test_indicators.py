"""A tag changed since the first sign points to an attacker: noted, shown, said in questions."""

from datetime import timedelta
from typing import Any

import pytest

from actions.aws.tag_incident import TagIncident
from evidence.sources.tag_changes import TagChanges
from playbooks.case.case import Case
from playbooks.case.guard import PROTECTED_TAG
from playbooks.case.indicators import known
from playbooks.case.play import body_of
from playbooks.case.story import story
from playbooks.compromised_instance import compromised_instance
from playbooks.wiring.settings import Account
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.scene import Scene, apart

WHOLE = body_of(compromised_instance)


def tagged(scene: Scene, key: str = PROTECTED_TAG) -> None:
    """Tag the host, as somebody did whom nobody knows, long enough ago for CloudTrail to show."""
    scene.aws("ec2").create_tags(
        Resources=[scene.estate.target, scene.estate.sibling], Tags=[{"Key": key, "Value": "x"}]
    )


def later(scene: Scene) -> None:
    scene.world.tick(scene.world.ground.trail_lag_seconds + 1)


def seen(scene: Scene, incident: Any) -> list[Any]:
    return scene.store.read(lambda conn: known(conn, incident.id))


@apart
def test_who_is_asked_because_of_a_tag_sees_who_set_it_and_when(scene: Scene) -> None:
    incident = scene.take()
    tagged(scene)
    later(scene)
    assert scene.enter(incident, tagging).state == "Waiting"
    why = " ".join(scene.asked(incident).about["why"])
    assert f"tag {PROTECTED_TAG} was set by arn:aws" in why
    assert "after the first sign" in why
    assert scene.kinds(incident).count("indicator.noted") == 1
    said = scene.store.read(lambda conn: story(conn, incident.id))
    assert [one["tag"] for kept in said["evidence"] for one in kept["indicators"]] == [
        PROTECTED_TAG
    ]
    scene.say(scene.asked(incident))
    assert scene.enter(incident, tagging).state == "Completed"


@apart
def test_what_cloudtrail_shows_late_is_noted_by_the_follow_up_and_once(scene: Scene) -> None:
    incident = scene.take()
    tagged(scene, "team")
    assert scene.enter(incident, WHOLE).state == "Waiting"
    assert seen(scene, incident) == []
    scene.world.tick(timedelta(minutes=20, seconds=1).total_seconds())
    scene.enter(incident, WHOLE)
    scene.enter(incident, WHOLE)
    assert [one["what"] for one in seen(scene, incident)] == ["tag team was set"]
    assert scene.kinds(incident).count("indicator.noted") == 1


@apart
def test_what_was_tagged_before_the_first_sign_is_no_indicator(scene: Scene) -> None:
    tagged(scene)
    later(scene)
    first = scene.parts.now().isoformat()
    incident = scene.take(service={"eventFirstSeen": first, "eventLastSeen": first, "count": 1})
    assert scene.enter(incident, tagging).state == "Waiting"
    assert seen(scene, incident) == []


async def twice(case: Case) -> None:
    """Tag, and look at who tagged."""
    await case.act(TagIncident(case.target, case.incident.id))
    host = case.target
    look = TagChanges(host.instance_id, case.first_sign, case.window[1], host.account, host.region)
    await case.keep(look)


@pytest.mark.parametrize("ours", [True, False])
@apart
def test_what_stanch_did_itself_is_no_indicator(scene: Scene, ours: bool) -> None:
    if ours:
        arn = scene.aws("sts").get_caller_identity()["Arn"]
        scene.set(accounts={scene.estate.account: Account()})
        scene.guard(own=(arn,))
    incident = scene.take()
    tagged(scene, "team")
    later(scene)
    assert scene.enter(incident, twice).state == "Completed"
    assert bool(seen(scene, incident)) == (not ours)
