"""What the engine needs of a journal: the state found is durable before the world is touched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Json = Any  # a JSON value: None, bool, int, str, list or dict of them
State = Mapping[str, Json]
Phase = Literal["intended", "done", "undoing", "undone"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an action would do: each key's value as found and as wanted.

    `unseen` maps keys that exist but could not be read to the reason; they are neither written
    nor counted as contained. `blast` says who else feels it, `lost` what cannot be given back.
    `passing` maps a key to values that were its `before` until that was given another: a way back
    that broke off may have left one of them, and it is no drift.
    """

    before: State
    wanted: State
    unseen: Mapping[str, str]
    blast: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    passing: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intent:
    """A journalled step. `fields` rebuild the action; `result` is what a one-way act returned."""

    step: str
    action: str
    fields: Mapping[str, Json]
    plan: Plan
    phase: Phase
    mark: str
    result: Mapping[str, Json] | None = None
    verdict: str | None = None


class Journal(Protocol):
    """Each method returns only when what it records is durable."""

    def find(self, step: str) -> Intent | None:
        """Return the journalled step, or None when it was never intended."""
        ...

    def intend(self, step: str, action: str, fields: Mapping[str, Json], plan: Plan) -> Intent:
        """Record that the step is about to touch the world."""
        ...

    def done(self, step: str, result: Mapping[str, Json], verdict: str) -> None:
        """Record that the step is in effect, with what was read back."""
        ...

    def undoing(self, step: str) -> None:
        """Record that the step is about to be undone."""
        ...

    def undone(self, step: str, result: Mapping[str, Json]) -> None:
        """Record that the step is undone, with what was read back."""
        ...
