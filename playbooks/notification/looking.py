"""All that is known of an incident's duties, read at once: now, or as of any time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from playbooks.case import store
from playbooks.case.incident import Incident
from playbooks.case.record import DEPLOYMENT
from playbooks.case.store import duties as stored
from playbooks.case.store.duties import ClockRow, LogRow
from playbooks.duties.changes import owed
from playbooks.duties.derive import Known, by_key, derive
from playbooks.duties.duty import Duty
from playbooks.duties.moment import Moment
from playbooks.duties.reading import Rulebook
from playbooks.notification import log
from playbooks.notification.confirming import Confirmed, confirmed
from playbooks.notification.doings import Doings, doings
from playbooks.notification.errors import EntryError
from playbooks.notification.standing import Standing, standing
from playbooks.notification.subject import PLAY, subject_of


@dataclass(frozen=True, slots=True)
class Look:
    """An incident's log, what it says together, the duties that follow, and where they stand.

    `clocks` are as they were last recorded, whatever time is asked for.
    """

    incident: Incident
    rows: tuple[LogRow, ...]
    known: Known
    unread: tuple[str, ...]
    duties: Mapping[str, Duty]
    done: Doings
    confirmed: Confirmed
    clocks: Mapping[str, ClockRow]
    as_of: Moment | None = None

    def standing(self, duty: str) -> Standing:
        """Return where a duty stands."""
        row = self.clocks.get(duty)
        since = row.body["owed_since"] if row else ""
        was_owed = bool(since) and (
            self.as_of is None or datetime.fromisoformat(since) <= self.as_of.last
        )
        return standing(self.duties[duty], self.duties, self.done, was_owed=was_owed)

    def listed(self) -> list[Duty]:
        """Return the duties that are, or may be, owed, were opened, or were met."""
        return [
            duty
            for key, duty in self.duties.items()
            if owed(duty) or key in self.clocks or key in self.done.duties
        ]


def look(
    conn: Connection,
    incident_id: str,
    book: Rulebook,
    as_of: Moment | None = None,
    earlier: Look | None = None,
) -> Look:
    """Return what is known of the incident's duties; with `as_of`, what was known then.

    `earlier` is a look by the same book and time: where nothing was recorded since, it is not
    derived anew, so that a transaction that holds others up need not.
    Raises UnknownIncidentError, EntryError for an incident that works another's, or FactError
    where recorded facts contradict each other.
    """
    incident = store.incident(conn, incident_id)
    if incident.play == PLAY:
        raise EntryError(
            f"{incident_id} works the duties of {subject_of(incident)}; name that incident"
        )
    rows = log.by(stored.duty_log(conn, incident_id), as_of)
    sure = confirmed(log.by(stored.duty_log(conn, DEPLOYMENT), as_of), book)
    if earlier and (earlier.rows, earlier.confirmed) == (tuple(rows), sure):
        return replace(earlier, incident=incident, clocks=stored.clocks(conn, incident_id))
    said = log.known(rows, log.shadows(incident), sure.duties, book)
    return Look(
        incident,
        tuple(rows),
        said.known,
        said.unread,
        by_key(derive(book, said.known)),
        doings(rows),
        sure,
        stored.clocks(conn, incident_id),
        as_of,
    )
