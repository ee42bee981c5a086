"""What can go wrong between a client and the simulated Vault, on order.

    vault.inject(Refuse(500), "POST", "sys/leases/revoke-prefix/*", nth=2, times=3)
    vault.inject(Ignore(), "POST", "auth/token/revoke-accessor")
    vault.inject(CallBack(crash, after=True), "*", "*", nth=17)

A fault is played instead of the plain answer to the `nth` request from now that fits the method
("*" is any) and the path (a pattern with *), and to the next `times - 1` that do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

from playbooks.drills.range.vault.front import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = {"Content-Type": "application/json"}


class Fault(Protocol):
    """Something that goes wrong with one request; `onward` gives the plain answer."""

    def play(self, onward: Callable[[], Answer]) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request fails with a status; `applied` means that it took effect all the same."""

    status: int = 500
    message: str = "internal error"
    applied: bool = False

    def play(self, onward: Callable[[], Answer]) -> Answer:
        if self.applied:
            onward()
        return Answer(self.status, JSON, json.dumps({"errors": [self.message]}).encode())


@dataclass(frozen=True, slots=True)
class Ignore:
    """The request is answered with 204, and nothing is done."""

    def play(self, onward: Callable[[], Answer]) -> Answer:
        return Answer(204, JSON, b"")


@dataclass(frozen=True, slots=True)
class CallBack:
    """`do` is called before the request takes effect, or `after` it and before the answer: to
    wait, to kill a process, or to let an attacker be quicker."""

    do: Callable[[], object]
    after: bool = False

    def play(self, onward: Callable[[], Answer]) -> Answer:
        if not self.after:
            self.do()
        answer = onward()
        if self.after:
            self.do()
        return answer


@dataclass(slots=True)
class _Order:
    fault: Fault
    method: str
    pattern: str
    nth: int
    times: int
    seen: int = 0


@dataclass(slots=True)
class Faults:
    """The faults on order."""

    orders: list[_Order] = field(default_factory=list)

    def order(self, fault: Fault, method: str, pattern: str, nth: int, times: int) -> None:
        """Play `fault` at the nth fitting request from now, and the next `times - 1`."""
        self.orders.append(_Order(fault, method, pattern, nth, times))

    def meeting(self, method: str, path: str) -> Fault | None:
        """Count one request; the fault that meets it, the first ordered if there are several."""
        hit = None
        for order in self.orders:
            if order.method in ("*", method) and fnmatchcase(path, order.pattern):
                order.seen += 1
                if hit is None and order.nth <= order.seen < order.nth + order.times:
                    hit = order.fault
        self.orders = [o for o in self.orders if o.seen < o.nth + o.times - 1]
        return hit
