"""What can go wrong between a client and AWS, on order.

    world.inject(Throttle(), "ModifyNetworkInterfaceAttribute", nth=2, times=3)
    world.inject(StaleRead(reads=4), "PutRolePolicy")
    world.inject(CallBack(kill_me), "*", nth=17)

A fault is played instead of the plain answer to the `nth` call of an operation counted from now
("*" is any operation), and to the next `times - 1` calls of it too. A request must be authorized
before a fault can meet it, except Throttle, FailedCall, Delay and CallBack, which meet any.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from playbooks.drills.range import saved
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Answer, Asked


class Stage(Protocol):
    """What a fault may use while it is played (faults.py)."""

    @property
    def ground(self) -> Ground:
        """The world's ground."""

    @property
    def asked(self) -> Asked:
        """The request."""

    def onward(self, params: Mapping[str, Any] | None = None) -> Answer:
        """The real answer to the request, with its effect; raises AwsError."""

    def stale(self, state: saved.State, reads: int, of: str) -> None:
        """Answer the next `reads` reads (of one operation, or "*") from `state`."""

    def again_later(self, *, calls: int, seconds: float) -> None:
        """Apply the request before the call after `calls` more, or once `seconds` have passed."""

    def revert(self, state: saved.State, reads: int) -> None:
        """Put `state` back after `reads` reads, and in any case before the next write."""


class Fault(Protocol):
    """Something that goes wrong with one call. `early` faults come before authorization."""

    @property
    def early(self) -> bool: ...

    def play(self, stage: Stage) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Throttle:
    """The request is refused because there are too many (EC2 API throttling)."""

    early: bool = True

    def play(self, stage: Stage) -> Answer:
        if stage.asked.service == "ec2":
            raise AwsError("RequestLimitExceeded", "Request limit exceeded.", 503)
        raise AwsError("Throttling", "Rate exceeded", 400)


@dataclass(frozen=True, slots=True)
class Delay:
    """The answer comes `seconds` later; other requests are served meanwhile."""

    seconds: float
    sleep: Callable[[float], object] = time.sleep
    early: bool = True

    def play(self, stage: Stage) -> Answer:
        return stage.onward()


@dataclass(frozen=True, slots=True)
class FailedCall:
    """The call fails with a code and an HTTP status; `applied` means that it took effect all the
    same, as when an answer is lost."""

    code: str = "InternalError"
    status: int = 500
    applied: bool = False

    @property
    def early(self) -> bool:
        """An applied call must have been allowed first."""
        return not self.applied

    def play(self, stage: Stage) -> Answer:
        if self.applied:
            stage.onward()
        raise AwsError(self.code, "An internal error has occurred", self.status)


@dataclass(frozen=True, slots=True)
class StaleRead:
    """After this write the next `reads` reads (of operation `of`) still see the state before it."""

    reads: int = 1
    of: str = "*"
    early: bool = False

    def play(self, stage: Stage) -> Answer:
        before = saved.copied(stage.ground)
        answer = stage.onward()
        stage.stale(before, self.reads, self.of)
        return answer


@dataclass(frozen=True, slots=True)
class IgnoredWrite:
    """The call says yes and changes nothing."""

    early: bool = False

    def play(self, stage: Stage) -> Answer:
        before = saved.copied(stage.ground)
        answer = stage.onward()
        saved.put_back(stage.ground, before)
        return answer


@dataclass(frozen=True, slots=True)
class HalfApplied:
    """The call says yes and does half of what it was asked.

    `half` turns the parameters into those applied; without it every list of two or more is cut
    in half, and a call that has no such list changes nothing.
    """

    half: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    early: bool = False

    def play(self, stage: Stage) -> Answer:
        params = stage.asked.params
        half = self.half(params) if self.half else _halved(params)
        return IgnoredWrite().play(stage) if half == params else stage.onward(half)


@dataclass(frozen=True, slots=True)
class LateWrite:
    """The call says yes and takes effect after `calls` more calls, or once `seconds` passed."""

    calls: int = 3
    seconds: float = float("inf")
    early: bool = False

    def play(self, stage: Stage) -> Answer:
        answer = IgnoredWrite().play(stage)
        stage.again_later(calls=self.calls, seconds=self.seconds)
        return answer


@dataclass(frozen=True, slots=True)
class RevertedWrite:
    """The write takes effect and is undone by someone else.

    It is undone once `reads` reads have seen it, and in any case before the next write.
    """

    reads: int = 1
    early: bool = False

    def play(self, stage: Stage) -> Answer:
        before = saved.copied(stage.ground)
        answer = stage.onward()
        stage.revert(before, self.reads)
        return answer


@dataclass(frozen=True, slots=True)
class CallBack:
    """`do` is called before the request takes effect, or `after` it and before the answer."""

    do: Callable[[], object]
    after: bool = False
    early: bool = False

    def play(self, stage: Stage) -> Answer:
        if not self.after:
            self.do()
        answer = stage.onward()
        if self.after:
            self.do()
        return answer


def kill(pid: int, signal: int, *, after: bool = False) -> CallBack:
    """A fault that sends a signal to a process at this call, such as SIGKILL to the client."""
    return CallBack(lambda: os.kill(pid, signal), after=after)


def _halved(params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value[: len(value) // 2]
        if isinstance(value, list) and len(value) > 1 and name not in ("Filters", "Tags")
        else value
        for name, value in params.items()
    }
