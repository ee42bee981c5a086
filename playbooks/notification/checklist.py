"""What has to be there before a duty is really done, item by item."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from playbooks.duties.duty import Duty
from playbooks.duties.facts import Facts
from playbooks.notification.doings import Doing
from playbooks.notification.entry_kinds import CHECKS

# Kinds of data for which laws want credit monitoring offered.
_IDENTITY: Final = {"national_id", "tax_id", "drivers_license"}


@dataclass(frozen=True, slots=True)
class Item:
    """One item: what it means, what was given for it, and by whom. `asks` adds the law's words."""

    name: str
    means: str
    value: str = ""
    person: str = ""
    asks: str = ""

    @property
    def done(self) -> bool:
        """Return whether somebody gave it."""
        return bool(self.value)


def checklist(duty: Duty, doing: Doing, flags: tuple[str, ...], facts: Facts) -> tuple[Item, ...]:
    """Return the items that this duty needs, done or not."""
    return tuple(_item(name, doing, asks) for name, asks in _needed(duty, doing, flags, facts))


def _needed(
    duty: Duty, doing: Doing, flags: tuple[str, ...], facts: Facts
) -> Iterator[tuple[str, str]]:
    yield "owner", ""
    yield "evidence", duty.stage.channel or ""
    if any(flag.startswith("late") for flag in flags) or doing.late:
        yield "delay_reason", duty.stage.late or ""
    if duty.stage.deadline.kind.startswith("qualitative"):
        yield "justification", duty.stage.deadline.standard or ""
    if monitoring := _monitoring(duty, facts):
        yield "credit_monitoring", monitoring
    yield "sign_off", ""


def _monitoring(duty: Duty, facts: Facts) -> str:
    """Return what the law wants offered to the people concerned; nothing where it does not."""
    if duty.stage.to != "individuals" or not duty.regime.credit_monitoring:
        return ""
    data = facts.given.get("data")
    if data is None:
        return f"{duty.regime.credit_monitoring} (which data were reached is not known yet)"
    hit = isinstance(data, frozenset) and data & _IDENTITY
    return duty.regime.credit_monitoring if hit else ""


def _item(name: str, doing: Doing, asks: str) -> Item:
    given = doing.checks.get(name)
    if given:
        return Item(name, CHECKS[name], given.value, given.person, asks)
    if name == "evidence" and doing.proof:
        return Item(name, CHECKS[name], f"sha256 {doing.proof}", doing.by, asks)
    if name == "delay_reason" and doing.late:
        return Item(name, CHECKS[name], doing.late, doing.by, asks)
    return Item(name, CHECKS[name], asks=asks)
