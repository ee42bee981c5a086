"""The few acts that cannot be undone, or leave what must stay: done once, found, never repeated."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Action, P, fields_of, name_of
from actions.engine import Applied, Steps, calling, patient
from actions.errors import (
    ApprovalMissingError,
    NotEffectiveError,
    ProviderError,
    StepChangedError,
    UnknowableError,
)
from actions.journal import Intent, Journal, Json, Plan

Result = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Unknowable:
    """The provider cannot say whether the act happened, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Underway:
    """Part of it is done. `left` counts what is not; `do` does the next part, and may fail there.

    For what is too much for one call, such as 5,000 leases: what is left stands in the world
    alone, so a crash loses nothing, and other work goes on between the parts.
    """

    left: int


@dataclass(frozen=True)
class OneWay(Action[P]):
    """An act without a way back. `destroys` acts need an approval, others only add."""

    destroys: ClassVar[bool] = True
    window: ClassVar[float] = 10.0  # seconds in which a finished call may not show yet
    pace: ClassVar[float] = 1.0  # seconds between two parts, while each leaves less
    # What a crash loses, such as the secret of a new key, is taken back and made again, anew.
    remakes: ClassVar[bool] = False
    # Whether the world tells that it happened. If not, twice must do no harm: it is done again
    # after a crash, and its verdict is `unverified`, which nobody takes for contained.
    shows: ClassVar[bool] = True

    @abstractmethod
    def do(self, p: P, mark: str, approval: str | None) -> None:
        """Do it once, leaving the mark (in tags or a name) where `find` looks for it."""

    @abstractmethod
    def find(self, p: P, mark: str) -> Result | Unknowable | Underway | None:
        """Return what the act left, None when it did not happen, or Unknowable.

        An act that is done in parts returns Underway while something is left: then `do` comes
        again, until `limit` seconds pass in which `left` does not fall below its lowest.
        """

    def facts(self, p: P) -> Result:
        """Return what is known of the target beforehand, for the plan and for approval."""
        return {}


def foresee(action: OneWay[P], p: P) -> Plan:
    """Return the plan of a one-way act: nothing to compare, everything to tell. The dry run."""
    facts = calling(p, lambda: action.facts(p))
    foreseen = calling(p, lambda: action.foresee(p, facts))
    return Plan(facts, {}, {}, foreseen.blast, foreseen.lost)


def do_once(
    action: OneWay[P],
    p: P,
    journal: Journal,
    intent: Intent,
    *,
    fresh: bool,
    approval: str | None = None,
) -> Steps[Applied]:
    """Carry a recorded one-way act out, or adopt what an earlier try left.

    `fresh` says that the intent was recorded in this very entry, so nothing can have happened yet.
    """
    if fields_of(action) != dict(intent.fields) or name_of(action) != intent.action:
        raise StepChangedError(f"{intent.step} was recorded with other fields. Name a new step.")
    if intent.phase == "done":
        return Applied(intent.step, {}, intent.result or {}, intent.verdict or "")
    if intent.phase != "intended":
        raise StepChangedError(f"{intent.step} is {intent.phase}: a one-way act has no such phase.")
    if action.destroys and not approval:
        raise ApprovalMissingError(
            f"{intent.step} destroys and cannot be undone: it needs an approval. Ask for one."
        )
    if not action.shows:
        return (yield from _unseen(action, p, journal, intent, approval))
    result = None if fresh else (yield from _look(action, p, intent, action.window))
    if result is None or isinstance(result, Underway):
        yield from _in_parts(action, p, intent, approval)
    yield action.apart
    again = yield from _look(action, p, intent, 0.0)
    if again is None or isinstance(again, Underway):
        raise NotEffectiveError(intent.step, _lacking(intent, again))
    journal.done(intent.step, again, "verified")
    return Applied(intent.step, {}, again, "verified")


def _unseen(
    action: OneWay[P], p: P, journal: Journal, intent: Intent, approval: str | None
) -> Steps[Applied]:
    """Do what leaves no trace, and say that it was only heard of; `find` tells what is known."""
    if unsure := (yield from _do(action, p, intent.mark, approval)):
        raise unsure
    known = yield from _look(action, p, intent, 0.0)
    if known is None or isinstance(known, Underway):
        raise NotEffectiveError(intent.step, _lacking(intent, known))
    journal.done(intent.step, known, "unverified")
    return Applied(intent.step, {}, known, "unverified")


def _in_parts(action: OneWay[P], p: P, intent: Intent, approval: str | None) -> Steps[None]:
    """Do it, and again while it is under way and gets less; most acts have one part.

    While it does not get less, whoever holds it up is asked less and less often.
    """
    lowest, waited, pause = None, 0.0, action.pace
    while True:
        unsure = yield from _do(action, p, intent.mark, approval)
        found = yield from _look(action, p, intent, action.limit)
        if found is None and unsure:
            raise unsure
        if found is None:
            raise NotEffectiveError(intent.step, (intent.action,))
        if not isinstance(found, Underway):
            return
        if lowest is None or found.left < lowest:
            lowest, waited, pause = found.left, 0.0, action.pace
        elif waited >= action.limit:
            raise unsure or NotEffectiveError(intent.step, _lacking(intent, found))
        else:
            pause = min(2 * pause, 30.0)
        yield pause
        waited += pause


def _lacking(intent: Intent, found: Underway | None) -> tuple[str, ...]:
    return (intent.action,) if found is None else (f"{intent.action}: {found.left} left",)


def _do(action: OneWay[P], p: P, mark: str, approval: str | None) -> Steps[ProviderError | None]:
    """Make the call; return the error of a call that may have happened all the same."""
    waited = 0.0
    while True:
        try:
            calling(p, lambda: action.do(p, mark, approval))
            return None
        except ProviderError as error:
            # Only a call that surely did nothing is made again; any other outcome is looked for.
            if not error.refused:
                return error
            if not error.passing or waited >= action.limit:
                raise
        yield 0.5
        waited += 0.5


def _look(
    action: OneWay[P], p: P, intent: Intent, window: float
) -> Steps[Result | Underway | None]:
    waited = 0.0
    while True:
        found = yield from patient(action, lambda: calling(p, lambda: action.find(p, intent.mark)))
        if isinstance(found, Unknowable):
            raise UnknowableError(
                f"{intent.step}: cannot tell whether it happened ({found.reason}). "
                "It is not repeated; look at the target and record the outcome by hand."
            )
        if found is not None or waited >= window:
            return found
        yield action.apart
        waited += action.apart
