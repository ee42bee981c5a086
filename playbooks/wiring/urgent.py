"""What comes first in all incidents of this process: what takes most from each attacker."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

# Seconds that the rest waits at most: one incident whose first act hangs must not stop the others.
PATIENCE: Final = 2.0


@dataclass(slots=True)
class _Going:
    count: int = 0
    none: asyncio.Event = field(default_factory=asyncio.Event)


class Urgent:
    """Counts what goes first in each incident, on each event loop by itself."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._on: WeakKeyDictionary[asyncio.AbstractEventLoop, _Going] = WeakKeyDictionary()

    def began(self) -> Callable[[], None]:
        """Count one more; calling what is returned says that it is over, however often."""
        going = self._going()
        going.count += 1
        going.none.clear()
        over = False

        def ended() -> None:
            nonlocal over
            if over:
                return
            over = True
            going.count -= 1
            if not going.count:
                going.none.set()

        return ended

    async def over(self) -> None:
        """Return once none goes any more, or after some seconds all the same."""
        going = self._going()
        if going.count:
            with suppress(TimeoutError):
                await asyncio.wait_for(going.none.wait(), self._patience)

    def _going(self) -> _Going:
        return self._on.setdefault(asyncio.get_running_loop(), _Going())
