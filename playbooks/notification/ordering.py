"""The order in which a law wants its notices to go out: kept for letters, told of sendings."""

from collections.abc import Mapping

from playbooks.duties.changes import owed
from playbooks.duties.duty import Duty
from playbooks.duties.errors import OrderError
from playbooks.duties.moment import Moment
from playbooks.notification.doings import Doings


def first(duty: Duty, duties: Mapping[str, Duty]) -> tuple[Duty, ...]:
    """Return the duties of the same regime that must be met before this one, where owed."""
    named = (s for s in duty.regime.stages if duty.stage.id in s.before)
    found = (duties.get(f"{duty.regime.id}/{s.id}") for s in named)
    return tuple(d for d in found if d is not None and owed(d))


def overtaken(
    duty: Duty, sent: Moment, duties: Mapping[str, Duty], done: Doings
) -> tuple[str, ...]:
    """Return what should have gone out before, and is not shown to have."""
    return tuple(d.key for d in first(duty, duties) if not _before(done, d.key, sent))


def refuse(duty: Duty, duties: Mapping[str, Duty], done: Doings) -> None:
    """Raise OrderError where something owed must go out before this duty's letter may."""
    waits = [d for d in first(duty, duties) if done.of(d.key).completed(d.stage) is None]
    if not waits:
        return
    named = ", ".join(f"{d.key} (to {d.stage.recipient})" for d in waits)
    raise OrderError(
        f"{duty.key} must not go out yet: {duty.regime.citation} wants {named} first. Send that, "
        "record it with `stanch duties sent`, then release this letter"
    )


def _before(done: Doings, other: str, sent: Moment) -> bool:
    """Return whether the other went out before; of two on one day nobody knows."""
    went = done.of(other).sent
    return went is not None and went.last <= sent.first
