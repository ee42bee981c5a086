"""Gives what waits at the same time to one thread at once, so that it shares one commit."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Bounds how long a batch holds the database, and what one that fails must try again singly.
MOST = 256


class Together(Generic[Item, Result]):
    """Callers on one event loop, one batch at a time in the pool, in the order they came.

    `work` returns a result for each item, or the exception that its caller is to see.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Sequence[Result | Exception]], pool: Executor
    ) -> None:
        self._work = work
        self._pool = pool
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._running: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Result:
        """Return the item's result, or raise its exception; a caller that goes stops nothing."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            items = [item for item, _ in batch]
            results: Sequence[Result | Exception]
            try:
                results = await loop.run_in_executor(self._pool, self._work, items)
            except Exception as error:
                results = [error] * len(batch)
            for (_, future), result in zip(batch, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)
        self._running = None
