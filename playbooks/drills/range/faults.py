"""Which fault meets which call, and what earlier faults still have to do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from playbooks.drills.range import saved, wire
from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.targets import is_read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.injectors import Fault
    from playbooks.drills.range.inner import Inner
    from playbooks.drills.range.wire import Answer, Asked


@dataclass(slots=True)
class _Order:
    fault: Fault
    operation: str
    nth: int
    times: int
    seen: int = 0


@dataclass(slots=True)
class _Later:
    act: Callable[[], object]
    calls: int
    due: float


@dataclass(slots=True)
class Faults:
    """The faults on order, and those under way."""

    ground: Ground
    orders: list[_Order] = field(default_factory=list)
    waiting: list[_Later] = field(default_factory=list)
    stale: tuple[saved.State, int, str] | None = None
    to_revert: tuple[saved.State, int] | None = None
    lock: Any = field(default_factory=Lock)

    def order(self, fault: Fault, operation: str, nth: int, times: int) -> None:
        """Play `fault` at the nth call of the operation from now, and the next `times - 1`."""
        self.orders.append(_Order(fault, operation, nth, times))

    def meeting(self, operation: str) -> Fault | None:
        """Count one call; the fault that meets it, the first ordered if there are several."""
        hit = None
        with self.lock:
            for order in self.orders:
                if order.operation in ("*", operation):
                    order.seen += 1
                    if hit is None and order.nth <= order.seen < order.nth + order.times:
                        hit = order.fault
            self.orders = [o for o in self.orders if o.seen < o.nth + o.times - 1]
        return hit

    def due(self, asked: Asked) -> None:
        """Do what earlier faults have left for the time before this call."""
        if self.to_revert and (self.to_revert[1] <= 0 or not is_read(asked.operation)):
            saved.put_back(self.ground, self.to_revert[0])
            self.to_revert = None
        now, self.waiting = self.waiting, []
        for later in now:
            later.calls -= 1
            if later.calls < 0 or self.ground.seconds() >= later.due:
                later.act()
            else:
                self.waiting.append(later)

    def answered(self, asked: Asked, inner: Inner) -> Answer:
        """The plain answer, or an old one when this read is to be stale."""
        read = is_read(asked.operation)
        if read and self.to_revert:
            self.to_revert = (self.to_revert[0], self.to_revert[1] - 1)
        if not read or self.stale is None or self.stale[2] not in ("*", asked.operation):
            return inner.answer(asked)
        state, left, of = self.stale
        self.stale = (state, left - 1, of) if left > 1 else None
        living = saved.current(self.ground)
        saved.put_back(self.ground, state)
        try:
            return inner.answer(asked)
        finally:
            saved.put_back(self.ground, living)


@dataclass(slots=True)
class PlainStage:
    """The stage of one call (injectors.py: Stage)."""

    faults: Faults
    inner: Inner
    asked: Asked
    ready: Callable[[], Asked]
    accepted: Asked | None = None

    @property
    def ground(self) -> Ground:
        """The ground of the world."""
        return self.faults.ground

    def onward(self, params: Mapping[str, Any] | None = None) -> Answer:
        """The real answer; the request is authorized first if it was not."""
        asked = self.accepted = self.ready()
        return self.faults.answered(
            asked if params is None else wire.changed(asked, params), self.inner
        )

    def stale(self, state: saved.State, reads: int, of: str) -> None:
        """Answer the next reads from `state`."""
        self.faults.stale = (state, reads, of)

    def again_later(self, *, calls: int, seconds: float) -> None:
        """Apply the accepted request later; a refusal then is nobody's business any more."""
        asked = self.accepted or self.ready()

        def apply() -> None:
            with suppress(AwsError):
                self.inner.answer(asked)

        self.faults.waiting.append(_Later(apply, calls, self.ground.seconds() + seconds))

    def revert(self, state: saved.State, reads: int) -> None:
        """Put `state` back after some reads."""
        self.faults.to_revert = (state, reads)
