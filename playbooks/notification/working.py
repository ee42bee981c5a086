"""What the play does at each entry: derive, tell who owes what by when, remind, and wait."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from playbooks.case import store
from playbooks.case.answers import Waiting
from playbooks.case.points import open_point, shut_point
from playbooks.case.store.duties import ClockRow
from playbooks.duties.duty import DISCLAIMER
from playbooks.errors import RefusedError, UnknownIncidentError
from playbooks.notification.looking import Look
from playbooks.notification.recording import refresh
from playbooks.notification.reminding import NAMED, remind
from playbooks.notification.standing import NO_LONGER_OWED, POSSIBLE
from playbooks.notification.subject import PLAY, subject_of, workers

if TYPE_CHECKING:
    from playbooks.case.case import Case

_POINT = "duties"


class WaitingForPeopleError(Waiting):
    """Duties are open; the play is entered again at the next reminder, or when one changes."""

    def __init__(self, says: str) -> None:
        super().__init__("duties")
        self.args = (says,)


async def work(case: "Case") -> bool:
    """Derive, tell and remind; return whether all is closed. A dry run does nothing.

    Raises RefusedError where there is no such incident, or another works its duties already.
    """
    if case.dry:
        return True
    incident = _refuse_other(case)
    look = refresh(case.parts, case.store, incident, wake=False)
    running = [row for row in look.clocks.values() if row.closed is None]
    await _tell(case, incident, running)
    lead = look.done.lead or case.incident.requester
    next_at = await remind(case, incident, look.clocks, look.done, lead)
    if not running:
        shut_point(case, _POINT)
        return True
    _wait(case, look, running, next_at)
    return False


def wait(case: "Case", closed: bool) -> None:
    """Raise Waiting while duties are open: people close them, not the play."""
    if not closed:
        left = case.store.read(lambda conn: store.left(conn, case.incident.id))
        raise WaitingForPeopleError(left[_POINT]["error"])


def _refuse_other(case: "Case") -> str:
    incident = subject_of(case.incident)

    def read(conn: Connection) -> list[str]:
        if store.incident(conn, incident).play == PLAY:
            raise RefusedError(f"{incident} works the duties of another incident; name that one")
        return [one.id for one in workers(conn, incident)]

    try:
        first, *_ = [*case.store.read(read), case.incident.id]
    except UnknownIncidentError as error:
        raise RefusedError(f"{error} Its duties cannot be worked.") from None
    if first != case.incident.id:
        raise RefusedError(f"{first} works the duties of {incident} already: stanch show {first}")
    return incident


async def _tell(case: "Case", incident: str, running: list[ClockRow]) -> None:
    """Tell who is owed what by when; again when that changes."""
    owed = [row for row in running if row.state not in (POSSIBLE, NO_LONGER_OWED)]
    lines = [f"{row.duty} to {row.body['recipient']} by {_date(row)}" for row in _sorted(owed)]
    which = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:6]
    what = f"{len(owed)} duties of {incident} are owed ({which})"
    possible = sum(row.state == POSSIBLE for row in running)
    await case.tell(
        case.stakeholders, what, owed=lines[:NAMED], may_be_owed=possible, notice=DISCLAIMER
    )


def _wait(case: "Case", look: Look, running: list[ClockRow], next_at: datetime | None) -> None:
    """Say what is open, and have the play entered again at the next reminder."""
    if next_at is not None:
        case.timers.add(next_at)
        case.store.commit(lambda conn: store.add_timer(conn, case.incident.id, next_at))
    counts = {
        "owed": sum(row.state not in (POSSIBLE, NO_LONGER_OWED) for row in running),
        "may be owed": sum(row.state == POSSIBLE for row in running),
        "no longer owed and not signed off": sum(row.state == NO_LONGER_OWED for row in running),
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    told = f"next reminder {next_at:%Y-%m-%d %H:%M} UTC" if next_at else "every date has passed"
    open_point(case, _POINT, f"duties of {look.incident.id}: {said}; {told}")


def _sorted(rows: Iterable[ClockRow]) -> list[ClockRow]:
    return sorted(rows, key=lambda r: (r.due is None, r.due.timestamp() if r.due else 0.0, r.duty))


def _date(row: ClockRow) -> str:
    if not row.body["date"]:
        return f"no date in the law: {', '.join(row.body['why'][:1]) or 'without delay'}"
    if row.body["status"] == "not_started":
        missing = ", ".join(row.body["missing_anchors"])
        return f"{row.body['date']} if {missing} were as the incident shows; record it"
    return str(row.body["date"])
