"""Where a duty stands: open, waiting for a receipt, closed and how, and what was wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from playbooks.duties.changes import owed
from playbooks.duties.duty import Duty
from playbooks.duties.moment import Moment
from playbooks.notification.confirming import rule_digest
from playbooks.notification.doings import Decision, Doing, Doings
from playbooks.notification.ordering import overtaken

OPEN: Final = "open"
# It may be owed: a fact that nobody has told yet decides. It was never owed for sure.
POSSIBLE: Final = "possible"
AWAITING_RECEIPT: Final = "awaiting_receipt"
AWAITING_SIGN_OFF: Final = "awaiting_sign_off"
NO_LONGER_OWED: Final = "no_longer_owed"
CLOSED: Final = "closed"
_HOW: Final = {"sent": "sent", "received": "received", "submitted_ack": "acknowledged"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A duty's state, how it was closed, and what is flagged of it."""

    state: str
    closed_how: str = ""
    flags: tuple[str, ...] = ()


def standing(
    duty: Duty, duties: Mapping[str, Duty], done: Doings, *, was_owed: bool = False
) -> Standing:
    """Return where the duty stands. What was once owed is closed by a person's word alone."""
    doing = done.of(duty.key)
    flags = flags_of(duty, duties, done)
    if doing.completed(duty.stage):
        return Standing(CLOSED, _HOW[duty.stage.completion], flags)
    if doing.sent:
        return Standing(AWAITING_RECEIPT, "", flags)
    missing = signatures_missing(duty, doing)
    if doing.decisions and not missing:
        return Standing(CLOSED, "not_notifying", flags)
    if not owed(duty):
        return _no_longer(doing, was_owed)
    if _counted(duty, doing):
        return Standing(AWAITING_SIGN_OFF, "", flags)
    return Standing(OPEN if was_owed or duty.applies.truth else POSSIBLE, "", flags)


def _no_longer(doing: Doing, was_owed: bool) -> Standing:
    if not was_owed:
        return Standing(CLOSED, "not_owed")
    return Standing(CLOSED, NO_LONGER_OWED) if doing.dropped else Standing(NO_LONGER_OWED)


def signatures_missing(duty: Duty, doing: Doing) -> int:
    """Return how many people must still sign the decision not to notify.

    Where the rule is binding two must: the error would be dear, and one person's.
    """
    return max(0, (2 if duty.binding else 1) - len({d.person for d in _counted(duty, doing)}))


def _counted(duty: Duty, doing: Doing) -> list[Decision]:
    """Return the decisions that were taken on the rule as it now stands."""
    if not doing.decisions:
        return []
    digest = rule_digest(duty.regime, duty.stage)
    return [d for d in doing.decisions if d.rule == digest]


def flags_of(duty: Duty, duties: Mapping[str, Duty], done: Doings) -> tuple[str, ...]:
    """Return what is wrong with how the duty was met: late, out of order, without a reason."""
    doing = done.of(duty.key)
    flags: list[str] = []
    if doing.sent:
        flags += [f"out of order: {o} first" for o in overtaken(duty, doing.sent, duties, done)]
        early = duty.clock.not_before
        if early and doing.sent.first < early.first:
            flags.append(f"too early: not before {early.said()}")
    if when := doing.completed(duty.stage):
        flags += _late(duty, when, doing.late or doing.checks.get("delay_reason"))
    if doing.decisions and len(_counted(duty, doing)) < len(doing.decisions):
        flags.append("decided on an earlier text of the rule: decide again")
    if any(d.number < done.learnt for d in doing.decisions):
        flags.append("facts changed after it was decided: look at the decision again")
    return tuple(flags)


def _late(duty: Duty, when: Moment, reason: object) -> list[str]:
    act_by, latest = duty.clock.conservative_due, duty.clock.legal_latest
    if latest and when.last > latest.last:
        said = f"late: lawful until {latest.said()}"
    elif act_by and when.last > act_by.last:
        said = f"late: to be done by {act_by.said()}"
    else:
        return []
    return [said] if reason else [said, "late without a reason: give the reason for the delay"]
