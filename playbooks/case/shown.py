"""Shows a verb in Prefect as a task. Prefect shows; it never decides whether the world changes."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

log = logging.getLogger("stanch.shown")


async def shown(name: str, thunk: Callable[[], Awaitable[Any]]) -> Any:
    """Run the verb as a task without arguments or result, so that Prefect stores neither."""
    kept: list[Any] = []
    raised: list[BaseException] = []

    async def verb() -> None:
        try:
            kept.append(await thunk())
        except Exception as error:
            # Out past Prefect unseen: it would store the message, and log a trace of it.
            raised.append(error)

    shell = task(
        name=name, task_run_name=name, cache_policy=NO_CACHE, persist_result=False, retries=0
    )(verb)
    try:
        await shell()
    except Exception as error:
        # What Prefect cannot show is done all the same.
        log.warning("%s is not shown in Prefect: %s", name, type(error).__name__)
    if raised:
        raise raised[0]
    return kept[0] if kept else await thunk()
