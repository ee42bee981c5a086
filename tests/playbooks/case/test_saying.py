"""What a case says and counts of itself while it is worked on."""

import asyncio
import io
import json
import logging
from contextlib import redirect_stderr

import pytest

from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.isolate_instance import IsolateInstance
from actions.aws.tag_incident import TagIncident
from playbooks.case import store
from playbooks.case.case import Case
from playbooks.case.store import EVERYWHERE, Freeze
from playbooks.errors import FrozenError
from playbooks.wiring import logs
from tests.playbooks.scene import Scene, apart


@apart
def test_a_call_that_the_gate_stops_is_counted(scene: Scene) -> None:
    incident = scene.take()
    case = scene.case(incident)
    freeze = Freeze(EVERYWHERE, "alice", "a storm", scene.parts.now())
    scene.store.commit(lambda conn: store.add_freeze(conn, freeze))
    tags = {"Resources": [scene.estate.target], "Tags": [{"Key": "k", "Value": "v"}]}
    ec2 = case.parts.aws(scene.estate.account, scene.estate.region).ec2
    with pytest.raises(FrozenError):
        asyncio.run(case.call(lambda: ec2.create_tags(**tags)))
    asyncio.run(case.call(lambda: ec2.describe_instances()))
    text = scene.parts.metrics.text().decode()
    assert 'stanch_gate_refusals_total{reason="FrozenError"} 1.0' in text


@apart
def test_what_a_verb_logs_says_of_which_incident_and_step(scene: Scene) -> None:
    async def body(case: Case) -> None:
        await case.tell(("team",), "opened")

    async def shown(name: str, thunk: object) -> object:
        logging.getLogger("stanch.test").warning("within")
        return await thunk()  # type: ignore[operator]

    incident = scene.take()
    said = io.StringIO()
    with redirect_stderr(said):
        logs.set_up(json=True)
        scene.enter(incident, body, step=shown)
    told = [json.loads(line) for line in said.getvalue().splitlines()]
    (within,) = [one for one in told if one["event"] == "within"]
    assert (within["incident"], within["step"]) == (incident.id, "tell/opened")


def told(scene: Scene) -> dict[str, float]:
    """Return name and labels -> value, of entries and times."""
    lines = scene.parts.metrics.text().decode().splitlines()
    pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name.removeprefix("stanch_"): float(value) for name, _, value in pairs}


@apart
def test_an_entry_is_counted_and_only_an_incidents_first_act_is_timed(scene: Scene) -> None:
    async def body(case: Case) -> None:
        await case.act(TagIncident(case.target, case.incident.id))

    incident = scene.take()
    scene.world.tick(7)
    scene.enter(incident, body)
    once = told(scene)
    assert once['entries_total{ending="Completed",kind="play"}'] == 1
    assert once["first_act_seconds_count"] == 1
    assert once["first_act_seconds_sum"] == pytest.approx(7, abs=5)
    scene.world.tick(1000)
    scene.enter(incident, body)
    again = told(scene)
    assert again['entries_total{ending="Completed",kind="play"}'] == 2
    assert again["first_act_seconds_sum"] == once["first_act_seconds_sum"]


@apart
def test_becoming_contained_is_timed_once(scene: Scene) -> None:
    async def body(case: Case) -> None:
        await case.act(DenyInstanceSessions(case.target))
        await case.act(IsolateInstance(case.target))

    incident = scene.take()
    for _ in range(2):
        assert scene.enter(incident, body).status.startswith("contained")
        assert told(scene)["contained_seconds_count"] == 1


@apart
def test_a_play_that_breaks_off_is_counted_too(scene: Scene) -> None:
    async def body(case: Case) -> None:
        raise ZeroDivisionError

    incident = scene.take()
    with pytest.raises(ZeroDivisionError):
        scene.enter(incident, body)
    assert told(scene)['entries_total{ending="Crashed",kind="play"}'] == 1
