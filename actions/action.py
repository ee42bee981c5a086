"""A reversible action is a lens: it reads a state, names the wanted state, and writes one key.

Everything else (dry run, apply, verify, rollback, drift refusal, idempotence, crash recovery) is
derived from that in `engine`, once for all actions.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

from actions.errors import ProviderError
from actions.journal import Json, State
from actions.permission import Permission


class Provider(Protocol):
    """Where an action acts: bound to one account and region, clients made lazily."""

    def translate(self, error: Exception) -> ProviderError | None:
        """Return the error as ours, or None when it is not the provider's."""
        ...


P = TypeVar("P", bound=Provider)


# What an act takes from its target: nothing that anybody would miss, access to other things (its
# credentials), or its service to those who use it. An act that does not say takes the most.
Takes = Literal["nothing", "access", "service"]


@dataclass(frozen=True, slots=True)
class Unseen:
    """The value of a key that exists but could not be read: never absent, never equal."""

    reason: str

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Via:
    """States to pass through before the wanted one: written in order, then held for `dwell` s."""

    values: Mapping[str, Json]
    dwell: float


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What approval should know: who else feels it, and what cannot be given back."""

    blast: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Action(ABC, Generic[P]):
    """What every action has: a target, and the permissions that it needs."""

    permissions: ClassVar[tuple[Permission, ...]] = ()
    takes: ClassVar[Takes] = "service"
    apart: ClassVar[float] = 0.5  # seconds between the two equal reads that verify
    limit: ClassVar[float] = 30.0  # seconds until a write that does not show is not effective

    @property
    @abstractmethod
    def target(self) -> str:
        """Return what is acted on, as account/region/id."""

    def foresee(self, p: P, before: State) -> Foreseen:
        """Return what approval should know; raise UnfitError when it cannot work here."""
        return Foreseen()


@dataclass(frozen=True)
class Lens(Action[P]):
    """A reversible action. State is a flat map of key to JSON value; None means absent."""

    @abstractmethod
    def read(self, p: P) -> Mapping[str, Json | Unseen]:
        """Return every key the action owns, or raise. Raise TargetGoneError if there is none."""

    @abstractmethod
    def wanted(self, before: State) -> State:
        """Return the wanted values, in the order they are to be written.

        A key of `before` that is left out is never written, but is as found after the way back.
        """

    @abstractmethod
    def write(self, p: P, key: str, value: Json) -> None:
        """Make one key hold the value. Writing twice is the same as once."""

    def same(self, key: str, one: Json, other: Json) -> bool:
        """Return whether two values of a key are equal in the world's terms."""
        return bool(one == other)

    def cell(self, key: str) -> str:
        """Return what in the world a key of this target is: two actions with one cell share it."""
        return key

    def recalled(self, keys: Iterable[str]) -> "Lens[P]":
        """Return the lens for these recorded keys; where they outlive the target, without it."""
        return self

    def transit(self, before: State) -> Mapping[str, Iterable[Json]]:
        """Return values that a key may hold half-way; those are finished, not refused."""
        return {}

    def via(self, before: State) -> Via | None:
        """Return states to pass through on the way to the wanted ones."""
        return None


def name_of(action: Action[Any]) -> str:
    """Return the action's name: the stem of the file that it lives in."""
    return type(action).__module__.rpartition(".")[2]


def fields_of(action: Action[Any]) -> dict[str, Json]:
    """Return the action's fields as JSON values; `catalogue.revive` is the way back."""
    return {f.name: _plain(getattr(action, f.name)) for f in fields(action)}


def _plain(value: Any) -> Json:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def step_of(action: Action[Any], again: str = "") -> str:
    """Return the step's key: what it does, to what, and why again."""
    return f"{name_of(action)}/{action.target}" + (f"#{again}" if again else "")
