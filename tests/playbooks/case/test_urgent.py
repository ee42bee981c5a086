"""What is most urgent goes first, in all incidents of a process; and none can hold up the rest."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.case.case import Case
from playbooks.wiring.urgent import Urgent
from tests.deployment import case, deployed


async def nothing(case: Case) -> None:
    """Do nothing."""


@pytest.fixture
def cases(tmp_path: Path) -> list[Case]:
    """Three cases of one process; what is urgent is waited for during 0.3 s."""
    deployment = deployed(tmp_path)
    parts = replace(deployment.parts(), urgent=Urgent(0.3))
    incident = deployment.take(parts).incident
    return [case(parts, incident, nothing) for _ in range(3)]


def in_turn(cases: list[Case], takes: list[int], log: list[str]) -> None:
    """Run each case's denial and standby, the denial of each taking so many turns of the loop."""

    async def deny(number: int) -> None:
        for _ in range(takes[number]):
            await asyncio.sleep(0)
        log.append(f"deny {number}")

    async def standby(number: int) -> None:
        log.append(f"standby {number}")

    async def run() -> None:
        each = (c.in_turn(deny(n), standby(n)) for n, c in enumerate(cases))
        await asyncio.gather(*each)

    asyncio.run(run())


@pytest.mark.parametrize("takes", [[1, 2, 9], [9, 1, 1], [5, 5, 5]])
def test_no_incident_goes_on_before_each_has_done_what_is_urgent(
    cases: list[Case], takes: list[int]
) -> None:
    log: list[str] = []
    in_turn(cases, takes, log)
    assert sorted(log[:3]) == ["deny 0", "deny 1", "deny 2"]
    assert sorted(log[3:]) == ["standby 0", "standby 1", "standby 2"]


def test_what_fails_holds_nothing_up(cases: list[Case]) -> None:
    log: list[str] = []

    async def fails() -> None:
        raise RuntimeError("AWS said no")

    async def run(one: Case, first: Any, name: str) -> None:
        async def second() -> None:
            log.append(name)

        await one.in_turn(first, second())

    async def both() -> None:
        started = asyncio.get_running_loop().time()
        ends = await asyncio.gather(
            run(cases[0], fails(), "after a failure"),
            run(cases[1], asyncio.sleep(0), "after a success"),
            return_exceptions=True,
        )
        assert [type(end) for end in ends] == [RuntimeError, type(None)]
        assert asyncio.get_running_loop().time() - started < 0.3

    asyncio.run(both())
    assert sorted(log) == ["after a failure", "after a success"]


def test_what_hangs_holds_the_others_up_for_a_while_only(cases: list[Case]) -> None:
    log: list[str] = []

    async def run() -> None:
        hangs = asyncio.Event()

        async def standby() -> None:
            log.append("standby")
            hangs.set()

        # The first never waits until the other has gone on without it.
        await asyncio.gather(
            cases[0].in_turn(hangs.wait(), asyncio.sleep(0)),
            cases[1].in_turn(asyncio.sleep(0), standby()),
        )

    asyncio.run(asyncio.wait_for(run(), 10))
    assert log == ["standby"]


def test_a_cancelled_first_is_over(cases: list[Case]) -> None:
    async def run() -> None:
        task = asyncio.ensure_future(cases[0].in_turn(asyncio.sleep(60), asyncio.sleep(0)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(cases[1].parts.urgent.over(), 0.1)

    asyncio.run(run())
