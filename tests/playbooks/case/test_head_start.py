"""A head start is one: what follows waits for its end or its time, and for nothing else."""

import asyncio
from typing import Any

import pytest

from playbooks.case.answers import Waiting
from playbooks.case.branches import ahead

LONG = 60.0


def ran(first: Any, seconds: float, log: list[str]) -> Any:
    async def second() -> str:
        log.append("second")
        return "two"

    return asyncio.run(ahead(first, second, seconds))


def test_the_second_waits_for_the_end_of_the_first() -> None:
    log: list[str] = []

    async def first() -> str:
        for _ in range(5):
            await asyncio.sleep(0)
        log.append("first")
        return "one"

    assert ran(first(), LONG, log) == ("one", "two")
    assert log == ["first", "second"]


@pytest.mark.parametrize("seconds", [0.0, 0.01])
def test_the_second_goes_once_the_time_is_over_and_the_first_still_ends(seconds: float) -> None:
    """The first ends only after the second began: had that waited for it, nothing would end."""
    log: list[str] = []

    async def both() -> Any:
        released = asyncio.Event()

        async def first() -> str:
            await released.wait()
            log.append("first")
            return "one"

        async def second() -> str:
            log.append("second")
            released.set()
            return "two"

        return await ahead(first(), second, seconds)

    assert asyncio.run(both()) == ("one", "two")
    assert log == ["second", "first"]


@pytest.mark.parametrize("error", [RuntimeError("broken"), Waiting("Q-1")])
def test_what_the_first_raises_comes_after_the_second(error: Exception) -> None:
    log: list[str] = []

    async def first() -> str:
        raise error

    with pytest.raises(type(error)):
        ran(first(), LONG, log)
    assert log == ["second"]


def test_cancelled_in_the_head_start_the_second_never_begins() -> None:
    log: list[str] = []

    async def first() -> str:
        try:
            await asyncio.sleep(LONG)
        finally:
            log.append("ended")
        return "one"

    async def second() -> str:
        log.append("second")
        return "two"

    async def both() -> None:
        task = asyncio.ensure_future(ahead(first(), second, LONG))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(both())
    assert log == ["ended"]
