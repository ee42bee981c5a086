"""A crash at any point, then entering again: one effect, none unrecorded, never allow-all."""

import random
from pathlib import Path
from typing import Any

import pytest

from actions.aws import collection_document as pinned
from actions.aws.convert_tracked_connections import ConvertTrackedConnections
from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.isolate_instance import IsolateInstance
from playbooks.case.case import Case
from playbooks.case.enter import Body, enter
from playbooks.case.play import body_of
from playbooks.case.volatile import collect_first, keep_collected
from playbooks.compromised_instance import compromised_instance
from playbooks.drills.range.estate_agent import make_collectable
from playbooks.wiring.parts import Parts
from tests.deployment import deployed, go
from tests.sample import FULL
from tests.stories.crash import Crash, sweep
from tests.stories.effect import effect


async def converting(case: Case) -> None:
    """Isolate, then convert tracked connections through an allow-all group."""
    await case.act(IsolateInstance(case.target))
    await case.act(ConvertTrackedConnections(case.target))


async def collecting(case: Case) -> None:
    """Ask the host what it would forget, then deny; nobody answers, for nothing listens here."""
    host = case.target
    await collect_first(case, host, lambda: case.act(DenyInstanceSessions(host)))
    await keep_collected(case, host)


# A play, and one state in how many is swept while working: from its first to its last.
PLAYS: dict[str, tuple[Body, int]] = {
    "compromised_instance": (body_of(compromised_instance), 10),
    "converting": (converting, 4),
    "collecting": (collecting, 4),
}


def sampled(state: int, one_in: int) -> bool:
    """Return whether this state belongs to the sample; the same ones each time."""
    return FULL or random.Random(f"27/{state}").random() * one_in < 1


@pytest.mark.parametrize("name", PLAYS)
def test_a_crash_at_any_point_leaves_one_effect_and_none_unrecorded(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body, one_in = PLAYS[name]
    deployment = deployed(tmp_path)
    if name == "collecting":
        host = (deployment.estate.target,)
        make_collectable(deployment.world, host, "collected", pinned.text(), pinned.NAME)
    parts = deployment.parts()
    incident = deployment.take(parts).incident

    async def again(fresh: Parts) -> Any:
        return await go(fresh, incident, body, alive=nobody)

    def examine(fresh: Parts) -> Any:
        return effect(deployment, fresh, incident.id)

    crash = Crash(deployment, tmp_path, again, examine, chosen=lambda n: sampled(n, one_in))
    watched = crash.watch(parts)
    wanted = sweep(crash, lambda: enter(parts, watched, incident.id, body, incident.play), parts)
    with capsys.disabled():
        print(f"\n{crash.says(name)}")
    assert wanted["world"]["open to all"] == []
    assert wanted["world"]["commands"] == (name == "collecting")


def nobody(holder: str) -> bool:
    """Say that whoever held the incident before the crash is dead."""
    return False
