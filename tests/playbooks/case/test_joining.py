"""Two incidents at one host at the same time: each waits its turn, and neither waits for ever."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from playbooks.case import store, way_back
from playbooks.case.answers import Waiting
from playbooks.case.incident import Incident
from tests.deployment import go
from tests.playbooks.case.test_releasing import containing, due, shorten, state
from tests.playbooks.scene import Scene, apart


def two(scene: Scene) -> list[Incident]:
    """Open two incidents on the host; waits let the other task go on from here."""
    for interface in scene.estate.interfaces:
        shorten(scene, interface, 4000)

    async def sleep(seconds: float) -> None:
        scene.world.tick(seconds)
        await asyncio.sleep(0)

    scene.parts = replace(scene.parts, sleep=sleep)
    one = scene.take()
    other = replace(scene.now(one), id="")

    def work(conn: Any) -> Incident:
        made = store.add_incident(conn, other)
        scene.case(one).record.note(conn, made.id, "case.open", {})
        return made

    return [one, scene.store.commit(work)]


def at_once(scene: Scene, incidents: list[Incident]) -> list[Any]:
    async def both() -> list[Any]:
        return await asyncio.gather(*(go(scene.parts, i, containing) for i in incidents))

    return asyncio.run(both())


async def back(scene: Scene, incident: Incident) -> Any:
    case = scene.case(incident)
    return await way_back.go_back(
        case, await way_back.planned(case, "release"), "alice", verb="release"
    )


@apart
def test_contained_at_once_it_is_done_once_and_released_at_once_given_back(scene: Scene) -> None:
    both = two(scene)
    before = state(scene)
    scene.world.calls.clear()
    assert [e.state for e in at_once(scene, both)] == ["Completed", "Completed"]
    assert Counter(scene.changed()) == {
        "PutRolePolicy": 1,
        "ModifyNetworkInterfaceAttribute": len(scene.estate.interfaces),
        "CreateTags": 2,
    }
    for incident in both:
        assert {i.phase for i in scene.steps(incident).values()} == {"done"}
        with pytest.raises(Waiting):
            asyncio.run(back(scene, incident))
        scene.say(scene.asked(incident))

    async def release() -> list[Any]:
        return await asyncio.gather(*(back(scene, i) for i in both), return_exceptions=True)

    # What was approved while the other held it too is asked again where it now opens something.
    for _ in range(3):
        asyncio.run(release())
        for incident in both:
            for question in scene.questions(incident):
                if question.state == "open":
                    scene.say(question)
    assert {scene.now(i).status for i in both} <= set(store.RELEASED)
    until = max(due(scene, i) for i in both)
    scene.world.tick((until - scene.world.now()).total_seconds() + 60)
    for incident in both:
        assert scene.enter(incident, containing).status == "released"
    assert state(scene) == before


@apart
def test_an_incident_that_hangs_keeps_no_other_from_containing(scene: Scene) -> None:
    """Somebody holds it, lives, and never comes to an end: the other waits so long, and goes on."""
    one, other = two(scene)
    stopped = "before-call.iam.PutRolePolicy"

    def hang(params: Any, **_: Any) -> None:
        raise KeyboardInterrupt

    events = scene.aws("iam").meta.events
    events.register(stopped, hang)
    with pytest.raises(KeyboardInterrupt):
        scene.enter(one, containing)
    events.unregister(stopped, hang)
    far = scene.world.now() + timedelta(hours=1)
    scene.store.commit(lambda conn: store.take(conn, one.id, "far:1:1:1", lambda holder: True, far))
    start = scene.world.now()
    assert scene.enter(other, containing).state == "Completed"
    waited = scene.world.now() - start
    assert timedelta(seconds=30) <= waited < timedelta(minutes=3)
    assert {i.phase for i in scene.steps(other).values()} == {"done"}
    assert scene.steps(one)["deny_instance_sessions"].phase == "intended"
