"""Tells a person who waits how far a long check has come, on standard error, now and then.

Standard library only.
"""

import threading
from collections.abc import Callable
from typing import TextIO

EVERY = 0.5
# Whoever waits no longer than so many seconds need not be told.
QUIET = 1.0


class Progress:
    """Called with bytes done and bytes in all, from any thread; `now` gives seconds.

    On a terminal one line is written over, elsewhere each is a line of its own.
    """

    def __init__(self, out: TextIO, now: Callable[[], float]) -> None:
        self._out, self._now = out, now
        self._turn = threading.Lock()
        self._next = now() + QUIET
        self._open = False

    def __call__(self, done: int, total: int) -> None:
        """Tell, unless it was told a moment ago."""
        with self._turn:
            if self._now() < self._next:
                return
            self._next = self._now() + EVERY
            share = 100 * done // total if total else 100
            said = f"hashed {done / 1e9:.2f} of {total / 1e9:.2f} GB ({share} %)"
            if self._out.isatty():
                self._out.write(f"\r{said}")
                self._open = True
            else:
                self._out.write(f"{said}\n")
            self._out.flush()

    def end(self) -> None:
        """End the line that was written over."""
        with self._turn:
            if self._open:
                self._out.write("\n")
                self._out.flush()
                self._open = False
