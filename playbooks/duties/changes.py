"""What a new derivation changed: nothing that was opened is closed without being told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from playbooks.duties.derive import by_key
from playbooks.duties.duty import Duty
from playbooks.duties.moment import Moment

What = Literal["opened", "no_longer_owed", "earlier", "later", "started", "settled"]


@dataclass(frozen=True)
class Change:
    """One duty's difference, with the date before and now."""

    duty: str
    what: What
    before: Moment | None
    now: Moment | None
    why: tuple[str, ...]


def changes(before: Iterable[Duty], now: Iterable[Duty]) -> tuple[Change, ...]:
    """Return the differences between two derivations, duty by duty."""
    old: Mapping[str, Duty] = by_key(before)
    found = (_change(old.get(duty.key), duty) for duty in now)
    return tuple(change for change in found if change)


def date_of(duty: Duty) -> Moment | None:
    """Return the date to act on: the conservative one, our own target, or a stand-in's."""
    return duty.clock.conservative_due or duty.clock.target or duty.clock.shadow


def owed(duty: Duty) -> bool:
    """Return whether something is, or may be, owed."""
    bound = duty.clock.state in ("due", "no_fixed_time", "not_started")
    return bound and duty.applies.truth is not False


def _change(old: Duty | None, duty: Duty) -> Change | None:
    was, is_ = old is not None and owed(old), owed(duty)
    before = date_of(old) if old is not None and was else None
    now = date_of(duty) if is_ else None
    what = _what(old, duty, was, is_, before, now)
    if what is None:
        return None
    why = duty.clock.derivation if what in ("earlier", "later", "started") else duty.applies.why
    return Change(duty.key, what, before, now, why or duty.clock.derivation)


def _what(
    old: Duty | None, duty: Duty, was: bool, is_: bool, before: Moment | None, now: Moment | None
) -> What | None:
    if old is None or was != is_:
        if not is_:
            return "no_longer_owed" if was else None
        return "opened"
    if not is_:
        return None
    if old.clock.state == "not_started" != duty.clock.state:
        return "started"
    if before and now and before != now:
        return "earlier" if now.last < before.last else "later"
    return "settled" if old.applies.truth is None and duty.applies.truth else None
