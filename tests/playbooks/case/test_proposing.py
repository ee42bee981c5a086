"""Where something stands against acting: nothing is touched before a yes to one question."""

import asyncio
from typing import Any

import pytest

from playbooks.case.answers import Waiting
from playbooks.case.case import Case
from playbooks.case.play import body_of
from playbooks.case.rehearsing import rehearse
from playbooks.compromised_instance import compromised_instance
from playbooks.drills.range.injectors import FailedCall
from playbooks.intake.read import read_alert
from playbooks.respond.scratch import scratch
from playbooks.respond.take import take
from tests.playbooks.case.test_approvals import ending, tagging
from tests.playbooks.scene import Scene, apart

PLAY = body_of(compromised_instance)


def files(scene: Scene) -> list[str]:
    home = scene.parts.settings.home
    return sorted(str(p) for p in (home / "evidence").rglob("*") if p.is_file())


@apart
def test_one_question_covers_the_play_and_the_end_still_asks_by_itself(scene: Scene) -> None:
    incident = scene.take(severity=2)
    assert incident.hindrances
    for _ in "ab":
        end = scene.enter(incident, PLAY)
        assert (end.state, end.status) == ("Waiting", "proposed")
    assert scene.changed() == []
    question = scene.asked(incident)
    asked = {s["action"] for s in question.scopes}
    assert {"isolate_instance", "deny_instance_sessions", "enter_standby"} <= asked
    assert "terminate_instance" not in asked
    scene.say(question)
    end = scene.enter(incident, PLAY)
    assert end.state == "Waiting"
    assert end.status.startswith("contained")
    last = scene.asked(incident)
    assert [s["action"] for s in last.scopes] == ["terminate_instance"]
    used = [e for e in scene.entries(incident) if e.leaf.kind == "action.intent"]
    assert {e.body["approval"] for e in used} == {question.id}
    assert asked == {e.body["action"] for e in used}


@apart
def test_after_a_no_a_proposal_changes_nothing(scene: Scene) -> None:
    incident = scene.take(severity=2)
    scene.enter(incident, tagging)
    scene.say(scene.asked(incident), yes=False)
    assert scene.enter(incident, tagging).state == "Refused"
    assert scene.changed() == []


def dry(scene: Scene, body: Any) -> list[Any]:
    with scratch(scene.parts) as (apart_, empty):
        alert = read_alert(scene.deployment.finding(), received=scene.parts.now())
        incident = take(apart_, empty, alert).incident
        return asyncio.run(rehearse(Case(apart_, empty, incident, body, "p")))


@apart
def test_a_dry_run_leaves_no_trace_anywhere(scene: Scene) -> None:
    home = scene.parts.settings.home
    before = (scene.world.digest(), files(scene), (home / "stanch.db").read_bytes())
    planned = dry(scene, PLAY)
    assert [p.step.partition("/")[0] for p in planned if not p.destroys]
    assert planned[-1].destroys
    assert planned[-1].decision.may == "ask"
    assert scene.changed() == []
    assert (scene.world.digest(), files(scene), (home / "stanch.db").read_bytes()) == before


@apart
def test_a_dry_run_says_what_a_real_run_then_does(scene: Scene) -> None:
    wanted = {p.scope.action for p in dry(scene, PLAY) if not p.destroys}
    incident, _ = scene.play(PLAY)
    assert set(scene.steps(incident)) == wanted


@apart
def test_a_dry_run_shows_what_cannot_be_planned_or_is_refused(scene: Scene) -> None:
    scene.world.inject(FailedCall("AccessDenied", 403), "DescribeTags", times=9)
    scene.world.inject(FailedCall("AccessDenied", 403), "DescribeInstances", nth=1)
    (failed,) = dry(scene, tagging)
    assert (failed.decision.may, "AccessDenied" in failed.decision.why[0]) == ("never", True)
    scene.guard(own=(scene.estate.target,))
    assert [p.decision.may for p in dry(scene, ending)] == ["never"]


@apart
def test_a_rehearsal_names_nothing_in_the_play_that_it_stands_for(scene: Scene) -> None:
    case = scene.case(scene.take(), PLAY)
    asyncio.run(rehearse(case))
    assert (case.named, case.planned, case.dry) == (set(), [], False)


@apart
def test_branches_run_to_their_end_before_anything_waits(scene: Scene) -> None:
    ran: list[str] = []

    async def body(case: Case) -> None:
        async def slow() -> None:
            for _ in range(5):
                await asyncio.sleep(0)
            ran.append("slow")

        await case.together(ending(case), slow())

    _, end = scene.play(body)
    assert (end.state, ran) == ("Waiting", ["slow"])


@pytest.mark.parametrize("first", [True, False])
@apart
def test_a_failure_of_a_branch_stands_above_a_question(scene: Scene, first: bool) -> None:
    case = scene.case(scene.take())

    async def waits() -> None:
        raise Waiting("Q-1")

    async def breaks() -> None:
        raise ValueError("broken")

    async def both() -> None:
        branches = [breaks(), waits()] if first else [waits(), breaks()]
        await case.together(*branches)

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(both())


@apart
def test_a_cancelled_branch_is_never_passed_over(scene: Scene) -> None:
    case = scene.case(scene.take())

    async def cancelled() -> str:
        raise asyncio.CancelledError

    async def good() -> str:
        return "good"

    async def both() -> list[str]:
        return await case.together(good(), cancelled())

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(both())


@apart
def test_branches_give_their_results_in_order(scene: Scene) -> None:
    case = scene.case(scene.take())

    async def give(value: int, turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return value

    async def both() -> list[int]:
        return await case.together(give(1, 3), give(2, 0))

    assert asyncio.run(both()) == [1, 2]
