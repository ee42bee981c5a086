"""What a verb gives back: truthy when it happened, falsy with the reason when not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Waiting(Exception):  # noqa: N818 - not an error: the play waits, and is entered again
    """A question is open. Only `@play` catches it; the play is entered again when answered."""

    def __init__(self, question: str) -> None:
        self.question = question
        super().__init__(f"waiting for an answer to {question}")


@dataclass(frozen=True, slots=True)
class Done:
    """An act is in effect. `result` is what was read back; verdict verified or unverified.

    `was_so` says that there was nothing to change: the world was as wanted when it was found.
    """

    step: str
    verdict: str
    result: Mapping[str, Any] = field(default_factory=dict)
    was_so: bool = False

    def __bool__(self) -> bool:
        return True

    def ids(self, kind: str) -> tuple[str, ...]:
        """Return the ids of what a one-way act made, such as `ids("snapshots")`."""
        return tuple(one["id"] for one in self.result.get(kind, ()))


@dataclass(frozen=True, slots=True)
class Failed:
    """An act did not come into effect, and why; it stays on the list of residual exposure."""

    step: str
    why: str
    was_so: bool = False

    def __bool__(self) -> bool:
        return False

    def ids(self, kind: str) -> tuple[str, ...]:
        """Return nothing: nothing was made."""
        return ()


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's yes to a scope; used up by the act that it allows."""

    question: str
    approver: str

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Refusal:
    """A person's no, or nobody's answer in time."""

    question: str
    why: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Kept:
    """What a source gave: artifacts by name, and what could not be had (partial when any).

    `found` is what a source that draws conclusions found, as JSON values.
    """

    step: str
    artifacts: tuple[Mapping[str, Any], ...]
    missed: tuple[Mapping[str, Any], ...]
    found: tuple[Mapping[str, Any], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.artifacts)
