"""Drives the engine's generators with a clock that only moves when a wait is asked for."""

from collections.abc import Callable

from actions.engine import Steps, T


class Clock:
    """Counts the seconds waited; `on_wait` hears of each wait (a simulated world's own clock)."""

    def __init__(self, on_wait: Callable[[float], object] = lambda seconds: None) -> None:
        self.waits: list[float] = []
        self.on_wait = on_wait

    @property
    def now(self) -> float:
        return sum(self.waits)

    def __call__(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError(f"a wait of {seconds} s was asked for")
        self.waits.append(seconds)
        self.on_wait(seconds)


def run(steps: Steps[T], on_wait: Callable[[float], object] | None = None) -> T:
    """Run to the end and return the result; every wait goes to `on_wait` instead of being slept."""
    wait = on_wait or Clock()
    while True:
        try:
            seconds = next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        wait(seconds)
