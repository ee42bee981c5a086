"""Entering a play: one at a time, again after a crash, and an ending that says what is so."""

import asyncio
import hashlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from actions.action import fields_of, name_of, step_of
from actions.aws.convert_tracked_connections import ConvertTrackedConnections
from actions.aws.isolate_instance import IsolateInstance
from actions.aws.tag_incident import TagIncident
from actions.journal import Plan
from playbooks.case import holding
from playbooks.case.case import Case
from playbooks.errors import BusyError, RefusedError, UnknownIncidentError
from playbooks.wiring.settings import Account
from tests.actions.scene import in_child
from tests.deployment import go
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.scene import Scene, apart, nothing


@apart
def test_a_second_entry_beside_the_first_is_turned_away(scene: Scene) -> None:
    incident = scene.take()
    found: list[Any] = []

    async def body(case: Case) -> None:
        with pytest.raises(BusyError, match="works on INC-0001"):
            await go(scene.parts, incident, nothing)
        found.append(1)

    assert scene.enter(incident, body).state == "Completed"
    assert found == [1]
    assert scene.enter(incident, nothing).state == "Completed"


@apart
def test_a_second_process_is_turned_away_while_the_first_lives(scene: Scene) -> None:
    incident = scene.take()
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:

        async def stay(case: Case) -> None:
            os.write(into, b"x")
            signal.pause()

        parts = scene.deployment.parts()
        asyncio.run(go(parts, incident, stay))
        os._exit(0)
    os.read(out, 1)

    def other() -> str | None:
        try:
            asyncio.run(go(scene.deployment.parts(), incident, tagging))
        except BusyError:
            return "busy"
        return "entered"

    assert in_child(other) == "busy"
    os.kill(pid, signal.SIGKILL)
    # Dead, but not waited for yet: a zombie works on nothing either.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert in_child(other) == "entered"
    os.waitpid(pid, 0)
    assert "CreateTags" not in scene.changed()
    assert scene.steps(incident)["tag_incident"].phase == "done"


@pytest.mark.parametrize(
    ("holder", "living"),
    [
        ("elsewhere:1:2:3", True),
        ("{here}:{me}:{start}:999999", False),
        ("{here}:4194303:1:1", False),
        ("{here}:{parent}:1:1", False),
    ],
)
def test_a_holder_counts_as_living_unless_it_is_surely_dead(holder: str, living: bool) -> None:
    import socket

    known = {"here": socket.gethostname(), "start": holding._start(os.getpid())}
    known |= {"me": str(os.getpid()), "parent": str(os.getppid())}
    assert holding.alive(holder.format(**known)) is living


@apart
def test_what_is_not_there_cannot_be_entered(scene: Scene) -> None:
    incident = scene.take()
    from dataclasses import replace

    with pytest.raises(UnknownIncidentError):
        scene.enter(replace(incident, id="INC-0404"), nothing)


@apart
def test_a_host_that_is_terminated_is_gone(scene: Scene) -> None:
    scene.aws("ec2").terminate_instances(InstanceIds=[scene.estate.target])
    scene.world.calls.clear()
    incident, end = scene.play(tagging)
    assert (end.state, incident.status) == ("Gone", "gone")
    assert scene.estate.target in incident.says
    assert scene.changed() == []


@apart
def test_a_host_that_never_was_is_gone(scene: Scene) -> None:
    incident = scene.take(
        resource={
            "resourceType": "Instance",
            "instanceDetails": {"instanceId": "i-00000000000000000"},
        }
    )
    assert scene.enter(incident, tagging).state == "Gone"
    assert scene.now(incident).status == "gone"
    assert scene.changed() == []


@pytest.mark.parametrize("where", ["another account", "another region"])
@apart
def test_a_host_that_is_not_ours_is_refused_untouched(scene: Scene, where: str) -> None:
    estate = scene.estate
    other = {"999988887777": Account()}
    here = {estate.account: Account(regions=("eu-north-1",))}
    scene.set(accounts=other if where == "another account" else here)
    incident, end = scene.play(tagging)
    assert (end.state, incident.status) == ("Refused", "refused")
    assert "nothing was touched there" in incident.says
    assert scene.world.calls == []


@apart
def test_what_broke_a_play_is_raised_and_its_kind_recorded(scene: Scene) -> None:
    async def body(case: Case) -> None:
        await tagging(case)
        raise ValueError("canary-value")

    incident = scene.take()
    with pytest.raises(ValueError, match="canary"):
        scene.enter(incident, body)
    now = scene.now(incident)
    assert (now.status, now.says) == ("partial", "the play broke off: ValueError")
    last = scene.entries(incident)[-1]
    assert (last.leaf.kind, last.body["ended"]) == ("play.ended", "Crashed")
    assert scene.enter(incident, tagging).state == "Completed"


@apart
def test_a_refusal_does_not_hide_what_was_done(scene: Scene) -> None:
    async def body(case: Case) -> None:
        await tagging(case)
        raise RefusedError("no further")

    incident, end = scene.play(body)
    assert (end.state, incident.status) == ("Refused", "partial")


def half_way(scene: Scene, phase: str) -> tuple[Any, str]:
    """Leave a host on the allow-all group, as a crash in the middle of a conversion does."""

    async def convert(case: Case) -> None:
        await case.act(IsolateInstance(case.target))
        action = ConvertTrackedConnections(case.target)
        from playbooks.case import acting

        planned = await acting.prepare(case, action, step_of(action))
        case.journal.intend(step_of(action), name_of(action), fields_of(action), planned.plan)
        via = action.via(planned.plan.before)
        assert via is not None
        for key, value in via.values.items():
            action.write(case.parts.aws(case.target.account, case.target.region), key, value)
        if phase == "undoing":
            case.journal.undoing(step_of(action))

    incident, _ = scene.play(convert)
    return incident, phase


@pytest.mark.parametrize("phase", ["intended", "undoing"])
@apart
def test_a_host_left_open_is_closed_before_anything_else(scene: Scene, phase: str) -> None:
    incident, _ = half_way(scene, phase)
    assert scene.world.can_connect("203.0.113.9/32", scene.estate.target, 22)

    async def body(case: Case) -> None:
        assert not scene.world.can_connect("203.0.113.9/32", scene.estate.target, 22)

    assert scene.enter(incident, body).state == "Completed"


@apart
def test_what_cannot_be_recovered_is_recorded_and_blocks_nothing(scene: Scene) -> None:
    incident = scene.take()
    case = scene.case(incident)
    case.journal.intend("of_another_version/x", "of_another_version", {}, Plan({}, {}, {}, (), ()))
    assert scene.enter(incident, tagging).state == "Completed"
    assert "action.failed" in scene.kinds(incident)
    assert scene.steps(incident)["tag_incident"].phase == "done"


@apart
def test_a_cancel_acts_between_verbs_and_keeps_the_incident_until_then(scene: Scene) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    incident = scene.take()
    seen: list[str] = []

    async def body(case: Case) -> None:
        await case.act(TagIncident(case.target, case.incident.id))
        seen.append("the next verb")

    async def cancelled() -> None:
        parts = replace(scene.parts, pool=ThreadPoolExecutor(2))
        task = asyncio.ensure_future(go(parts, incident, body))
        while not scene.changed():
            await asyncio.sleep(0.001)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        held = scene.holder(incident)
        seen.append("held" if held else "given up")
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert seen == ["held"]
    assert scene.now(incident).says == "the play broke off: CancelledError"
    assert scene.steps(incident)["tag_incident"].phase == "done"
    assert scene.enter(incident, tagging).state == "Completed"
    assert scene.changed() == ["CreateTags"]


async def nothing_here(case: Case) -> None:
    """Do nothing, in a file of our own."""


@apart
def test_each_entry_says_which_code_it_ran(scene: Scene) -> None:
    incident, _ = scene.play(nothing_here)
    ended = next(e for e in scene.entries(incident) if e.leaf.kind == "play.ended")
    assert ended.body["code"] == hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
