"""Runs a play's verbs side by side, the most urgent first, and each to its own end."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

from playbooks.case.answers import Waiting
from playbooks.wiring.urgent import Urgent

A = TypeVar("A")
B = TypeVar("B")

# Told when the branch of `in_turn` that goes first has nothing to do but wait.
waits: ContextVar[Callable[[], None] | None] = ContextVar("waits", default=None)


async def together(*branches: Coroutine[Any, Any, Any]) -> Any:
    """Run branches to their end; only then raise what waits, so nothing hides behind it."""
    ends = await asyncio.gather(*branches, return_exceptions=True)
    failed = [end for end in ends if isinstance(end, BaseException)]
    if failed:
        raise min(failed, key=lambda end: isinstance(end, Waiting))
    return [end for end in ends if not isinstance(end, BaseException)]


async def in_turn(
    first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B], urgent: Urgent
) -> tuple[A, B]:
    """Run both to their end as `together` does; the second begins once the first waits.

    It begins only when no other incident has anything urgent left to do either.
    """
    waiting = asyncio.Event()

    async def ahead() -> A:
        ended = urgent.began()

        def now() -> None:
            ended()
            waiting.set()

        waits.set(now)
        try:
            return await first
        finally:
            now()

    async def behind() -> B:
        await waiting.wait()
        await urgent.over()
        return await second

    try:
        one, two = await together(ahead(), behind())
        return one, two
    finally:
        # Cancelled before it began, it would be a coroutine that nobody awaited.
        first.close()
        second.close()


async def ahead(
    first: Coroutine[Any, Any, A], second: Callable[[], Coroutine[Any, Any, B]], seconds: float
) -> tuple[A, B]:
    """Run both to their end as `together` does; the first has so many seconds of a head start.

    The second begins when the first has ended, or when they are over.
    """
    begun = asyncio.ensure_future(first)
    try:
        await asyncio.wait({begun}, timeout=seconds)
    except asyncio.CancelledError:
        begun.cancel()
        await asyncio.wait({begun})
        raise

    async def rest() -> A:
        return await begun

    one, two = await together(rest(), second())
    return one, two


async def whole(thunk: Callable[[], Awaitable[Any]]) -> Any:
    """Run a verb to its end: a cancel or timeout acts between verbs, never within a change.

    `shield` alone would let the caller go on, and give the incident up, while a thread still
    changes the world (Python docs, "Shielding From Cancellation").
    """
    task = asyncio.ensure_future(thunk())
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None and not task.cancelled():
        task.exception()
        raise cancelled
    return task.result()
