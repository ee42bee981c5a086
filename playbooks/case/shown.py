"""Shows a verb in Prefect as a task. Prefect shows; it never decides whether the world changes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from playbooks.case.case import Step

log = logging.getLogger("stanch.shown")

# Seconds that Prefect may take to let go of a verb that has ended.
PATIENCE = 1.0


def showing(patience: float = PATIENCE) -> Step:
    """Return a step that shows each verb of one entry, until Prefect fails once or is too slow.

    From then on the entry goes on plainly, so that no verb waits for a server that is gone.
    """
    lost = False

    async def shown(name: str, thunk: Callable[[], Awaitable[Any]]) -> Any:
        nonlocal lost
        if lost:
            return await thunk()
        # The verb is not Prefect's to start: the task below only looks on while it runs.
        work = asyncio.ensure_future(thunk())
        view = asyncio.ensure_future(_view(name, work))
        try:
            return await work
        finally:
            if not await _seen(view, patience) and not lost:
                lost = True
                log.warning("from %s on nothing of this entry is shown in Prefect", name)

    return shown


async def _view(name: str, work: "asyncio.Future[Any]") -> None:
    """Run a task without arguments, result or error, so that Prefect stores none of them."""

    async def verb() -> None:
        await asyncio.wait({work})

    shell = task(
        name=name, task_run_name=name, cache_policy=NO_CACHE, persist_result=False, retries=0
    )(verb)
    await shell()


async def _seen(view: "asyncio.Future[None]", patience: float) -> bool:
    """Return whether Prefect took the verb's end in time; whatever it raises, it did not."""
    try:
        await asyncio.wait({view}, timeout=patience)
    finally:
        view.cancel()
    return view.done() and not view.cancelled() and view.exception() is None
