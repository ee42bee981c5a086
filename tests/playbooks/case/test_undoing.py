"""Undoing: shown, approved by another person, exact; what drifted is left and said."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from actions.aws.protect_from_termination import ProtectFromTermination
from actions.aws.shorten_connection_tracking import ShortenConnectionTracking
from actions.aws.snapshot_volumes import SnapshotVolumes
from actions.aws.tag_incident import TagIncident
from playbooks.case import holding, undoing, way_back
from playbooks.case.answers import Waiting
from playbooks.case.case import Case
from playbooks.errors import ApprovalError, BusyError, RefusedError, UnknownIncidentError
from tests.playbooks.case.test_approvals import shorten
from tests.playbooks.scene import Scene, apart


async def working(case: Case) -> None:
    await case.act(SnapshotVolumes(case.target))
    await case.act(ShortenConnectionTracking(case.target))
    await case.act(TagIncident(case.target, case.incident.id))


async def light(case: Case) -> None:
    await case.act(ShortenConnectionTracking(case.target))
    await case.act(TagIncident(case.target, case.incident.id))


def state(scene: Scene, incident: Any) -> dict[str, Any]:
    """Return what the lenses of the play read now."""
    case = scene.case(incident)
    aws = scene.parts.aws(case.target.account, case.target.region)
    lenses: list[Any] = [
        ShortenConnectionTracking(case.target),
        TagIncident(case.target, incident.id),
    ]
    return {k: v for lens in lenses for k, v in lens.read(aws).items()}


def undo(scene: Scene, incident: Any, person: str = "alice", step: int | None = None) -> Any:
    """Plan and undo; return the ends, or the question that waits."""
    case = scene.case(incident)

    async def work() -> Any:
        undos = await undoing.plan(case, step)
        try:
            return await way_back.go_back(case, undos, person, step)
        except Waiting as waiting:
            return waiting.question

    return asyncio.run(work())


def done(scene: Scene) -> Any:
    """Fix the timeouts at a value of the host's own, so that undoing is exact; then contain."""
    for interface in scene.estate.interfaces:
        shorten(scene, interface, 4000)
    incident, end = scene.play(light)
    assert end.state == "Completed"
    return incident


@apart
def test_nothing_is_undone_before_another_person_says_yes(scene: Scene) -> None:
    incident = done(scene)
    contained = state(scene, incident)
    assert undo(scene, incident) == "Q-0001"
    assert undo(scene, incident) == "Q-0001"
    assert state(scene, incident) == contained
    with pytest.raises(ApprovalError, match="somebody else"):
        scene.say(scene.asked(incident), by="alice")
    assert scene.now(incident).status == "partial"


@apart
def test_undoing_gives_back_what_was_found(scene: Scene) -> None:
    for interface in scene.estate.interfaces:
        shorten(scene, interface, 4000)
    incident = scene.take()
    found = state(scene, incident)
    scene.enter(incident, light)
    assert state(scene, incident) != found
    undo(scene, incident)
    scene.say(scene.asked(incident))
    ends = undo(scene, incident)
    assert [(e.step.partition("/")[0], e.why) for e in ends] == [
        ("tag_incident", ""),
        ("shorten_connection_tracking", ""),
    ]
    assert state(scene, incident) == found
    assert scene.now(incident).status == "rolled-back"
    assert scene.kinds(incident)[-1] == "rollback.ended"
    scene.world.calls.clear()
    assert asyncio.run(undoing.plan(scene.case(incident))) == []
    # What was a false positive is not contained again, whoever enters its play.
    assert scene.enter(incident, light).status == "rolled-back"
    assert scene.changed() == []


@apart
def test_one_step_is_undone_alone_and_the_status_says_so(scene: Scene) -> None:
    incident = done(scene)
    before = state(scene, incident)
    undo(scene, incident, step=1)
    scene.say(scene.asked(incident))
    (end,) = undo(scene, incident, step=1)
    assert end.step.startswith("shorten_connection_tracking/")
    after = state(scene, incident)
    assert [k for k in after if after[k] == before[k]] == ["tag/stanch:incident"]
    assert scene.now(incident).status == "partial"
    for number in (0, 3):
        with pytest.raises(UnknownIncidentError, match="steps 1 to 2"):
            asyncio.run(undoing.plan(scene.case(incident), number))


@apart
def test_what_drifted_is_left_and_named_and_the_rest_given_back(scene: Scene) -> None:
    incident = done(scene)
    first, second = scene.estate.interfaces
    shorten(scene, second, 777)
    undo(scene, incident)
    scene.say(scene.asked(incident))
    why = {e.step.partition("/")[0]: e.why for e in undo(scene, incident)}
    assert why["tag_incident"] == ""
    assert second in why["shorten_connection_tracking"]
    now = state(scene, incident)
    assert now[f"tracking/{first}"]["tcp"] == 4000
    assert now[f"tracking/{second}"]["tcp"] == 777
    left = scene.now(incident)
    assert left.status == "partial"
    assert "shorten_connection_tracking" in left.says


@apart
def test_a_yes_to_undoing_is_used_once(scene: Scene) -> None:
    incident = done(scene)
    shorten(scene, scene.estate.interfaces[1], 777)
    undo(scene, incident)
    scene.say(scene.asked(incident))
    undo(scene, incident)
    scene.world.calls.clear()
    assert undo(scene, incident) == "Q-0002"
    assert scene.changed() == []


@apart
def test_a_yes_to_one_step_is_no_yes_to_all(scene: Scene) -> None:
    incident = done(scene)
    undo(scene, incident, step=2)
    scene.say(scene.asked(incident))
    scene.world.calls.clear()
    assert undo(scene, incident) == "Q-0002"
    assert scene.changed() == []


@apart
def test_a_yes_to_all_covers_what_a_crash_left_of_it(scene: Scene) -> None:
    incident = done(scene)
    undo(scene, incident)
    scene.say(scene.asked(incident))
    case = scene.case(incident)

    async def torn() -> None:
        undos = await undoing.plan(case)
        await undoing.undo_step(case, undos[0].intent.step)

    asyncio.run(torn())
    (end,) = undo(scene, incident)
    assert (end.step.partition("/")[0], end.why) == ("shorten_connection_tracking", "")
    assert scene.now(incident).status == "rolled-back"


@apart
def test_a_no_stands_until_its_question_ends(scene: Scene) -> None:
    incident = done(scene)
    undo(scene, incident)
    scene.say(scene.asked(incident), yes=False)
    with pytest.raises(RefusedError, match="bob said no: because"):
        undo(scene, incident)
    scene.world.tick(timedelta(hours=25).total_seconds())
    assert undo(scene, incident) == "Q-0002"


@pytest.mark.parametrize("answered", [True, False])
@apart
def test_a_question_that_ended_is_asked_anew(scene: Scene, answered: bool) -> None:
    incident = done(scene)
    undo(scene, incident)
    if answered:
        scene.say(scene.asked(incident))
    scene.world.tick(timedelta(hours=25).total_seconds())
    scene.world.calls.clear()
    assert undo(scene, incident) == "Q-0002"
    assert scene.changed() == []


@apart
def test_what_is_ours_is_not_undone_either(scene: Scene) -> None:
    incident = done(scene)
    scene.guard(own=(scene.estate.target,))
    with pytest.raises(RefusedError, match="Stanch's own"):
        undo(scene, incident)
    assert scene.questions(incident) == []
    assert scene.kinds(incident)[-1] == "guard.refused"


@apart
def test_nothing_is_undone_while_somebody_works_on_it(scene: Scene) -> None:
    incident = done(scene)
    undo(scene, incident)
    scene.say(scene.asked(incident))
    with (
        holding.held(scene.store, incident.id, holding.alive, scene.parts.now),
        pytest.raises(BusyError),
    ):
        undo(scene, incident)


@apart
def test_what_cannot_be_undone_is_named_as_staying(scene: Scene) -> None:
    incident, _ = scene.play(working)
    case = scene.case(incident)
    (stays,) = undoing.staying(case)
    assert stays.startswith("snapshot_volumes/")
    undos = asyncio.run(undoing.plan(case))
    assert stays not in [u.intent.step for u in undos]
    assert asyncio.run(undoing.plan(case, 1)) == []
    assert any("never set" in text for u in undos for text in u.lost)


@apart
def test_a_step_that_found_everything_as_wanted_has_nothing_to_undo(scene: Scene) -> None:
    for interface in scene.estate.interfaces:
        shorten(scene, interface, 60)
    incident, _ = scene.play(light)
    undos = asyncio.run(undoing.plan(scene.case(incident)))
    written = {u.intent.action: list(u.keys) for u in undos}
    assert written == {"tag_incident": ["tag/stanch:incident"], "shorten_connection_tracking": []}
    undo(scene, incident)
    scene.say(scene.asked(incident))
    undo(scene, incident)
    assert scene.now(incident).status == "rolled-back"


@apart
def test_an_undone_step_is_not_done_again_under_its_name(scene: Scene) -> None:
    incident = done(scene)
    undo(scene, incident, step=1)
    scene.say(scene.asked(incident))
    undo(scene, incident, step=1)
    scene.world.calls.clear()
    assert scene.enter(incident, light).state == "Completed"
    assert scene.changed() == []
    assert scene.steps(incident)["shorten_connection_tracking"].phase == "undone"


@apart
def test_before_and_now_are_shown(scene: Scene) -> None:
    incident, _ = scene.play(protecting)
    (one,) = asyncio.run(undoing.plan(scene.case(incident)))
    for now, then in one.keys.values():
        assert now != then
    assert set(one.scope.keys) == set(one.keys)


async def protecting(case: Case) -> None:
    await case.act(ProtectFromTermination(case.target))
