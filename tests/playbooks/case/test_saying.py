"""What a case says and counts of itself while it is worked on."""

import asyncio
import io
import json
import logging
from contextlib import redirect_stderr

import pytest

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
