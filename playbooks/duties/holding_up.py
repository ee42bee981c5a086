"""What an authority's request to wait does to a clock, where the law lets it do anything."""

from dataclasses import dataclass, replace
from datetime import timedelta

from playbooks.duties.ask import Ask
from playbooks.duties.counting import said
from playbooks.duties.duty import Alternative, Clock
from playbooks.duties.moment import Moment
from playbooks.duties.placing import in_place


@dataclass(frozen=True)
class Hold:
    """A request of law enforcement to wait; `regimes` empty means all. `until` None: still open."""

    authority: str
    since: Moment
    written: bool
    document: str
    until: Moment | None = None
    regimes: tuple[str, ...] = ()


def held(ask: Ask, found: Clock, holds: tuple[Hold, ...]) -> Clock:
    """Return the clock as the holds leave it: they move a due date only where the rule says so.

    A hold without an end moves nothing yet: the date stands, and the hold is told.
    """
    for hold in holds:
        if not hold.regimes or ask.regime.id in hold.regimes:
            found = _held(ask, found, hold)
    return found


def _held(ask: Ask, found: Clock, hold: Hold) -> Clock:
    rule = ask.stage.law_enforcement or ask.regime.law_enforcement
    due = found.conservative_due
    if due is None or found.legal_latest is None:
        return found
    asked = f"{hold.authority} asked on {hold.since.iso()} to wait ({hold.document})"
    if rule is None or not rule.allowed:
        return _told(found, f"{asked}; this rule does not stop for it")
    if rule.written_only and not hold.written:
        return _told(found, f"{asked} by word of mouth; this rule wants it in writing")
    if hold.since.first > found.legal_latest.last:
        return _told(found, f"{asked}; it was due before, and a later request does not undo that")
    end = _end(hold, rule.oral_max_days)
    if end is None:
        return _told(
            found, f"{asked}, with no end yet: {rule.says}. Record its end when it is known"
        )
    if end.last <= due.last:
        return _told(found, f"{asked} until {end.iso()}; the date stands, for it is later")
    resumed = end
    # What the law gives after a hold it gives to those whose time has run out meanwhile.
    if rule.resumes:
        resumed = in_place(ask, end, rule.resumes.value, rule.resumes.unit).conservative
    words = f" and {said(rule.resumes.value, rule.resumes.unit)}" if rule.resumes else ""
    step = f"{asked} until {end.iso()}{words}: due {resumed.iso()} ({rule.says})"
    before = Alternative("without_the_hold", found.legal_latest, "Had nobody asked to wait")
    return replace(
        found,
        conservative_due=resumed,
        legal_latest=max(resumed, found.legal_latest, key=lambda m: m.last),
        alternatives=(*found.alternatives, before),
        derivation=(*found.derivation, step),
    )


def _end(hold: Hold, oral_max_days: int | None) -> Moment | None:
    if hold.written or oral_max_days is None:
        return hold.until
    # 45 CFR 164.412(b): an oral statement holds no longer than 30 days unless it is put in writing.
    limit = replace(hold.since, at=None, on=hold.since.day + timedelta(days=oral_max_days))
    return min((m for m in (hold.until, limit) if m), key=lambda m: m.last)


def _told(found: Clock, step: str) -> Clock:
    return replace(found, derivation=(*found.derivation, step))
