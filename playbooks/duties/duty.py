"""A duty of one incident: a stage of a rule with what applies, when it is due, and why."""

from dataclasses import dataclass
from typing import Literal

from playbooks.duties.condition import Answer
from playbooks.duties.moment import Moment
from playbooks.duties.rule import Regime, Stage

# due: a date stands. no_fixed_time: the law names none, `target` is ours. not_started: the anchor
# is missing. not_applicable / not_in_force: nothing is owed. advisory: the rule is not law yet.
State = Literal["due", "no_fixed_time", "not_started", "not_applicable", "not_in_force", "advisory"]
DISCLAIMER = "Not legal advice. Act as if real until counsel says otherwise."


@dataclass(frozen=True)
class Alternative:
    """Another date that somebody may hold to be right, and by which rule."""

    rule: str
    due: Moment
    says: str


@dataclass(frozen=True)
class Clock:
    """When a duty is due.

    `conservative_due` is to be acted on; `legal_latest` is the last lawful moment by the counting
    rule named; `derivation` tells step by step how both came about. `target` is the internal one.
    """

    state: State
    conservative_due: Moment | None = None
    legal_latest: Moment | None = None
    counting: str = ""
    alternatives: tuple[Alternative, ...] = ()
    derivation: tuple[str, ...] = ()
    target: Moment | None = None
    # A date from a stand-in for a missing anchor; it never starts the clock.
    shadow: Moment | None = None
    missing: tuple[str, ...] = ()
    # The end of a time in which this must not go out yet.
    not_before: Moment | None = None
    # Counted by an earlier version of the rule, which nobody has said to have read in its source.
    earlier: bool = False


@dataclass(frozen=True)
class Duty:
    """One stage for one incident. `binding`: the rule is in force, verified or confirmed."""

    regime: Regime
    stage: Stage
    applies: Answer
    clock: Clock
    binding: bool
    confidence: str
    sources: tuple[str, ...]

    @property
    def key(self) -> str:
        """Return `regime/stage`."""
        return f"{self.regime.id}/{self.stage.id}"
