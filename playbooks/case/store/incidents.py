"""Incidents as rows."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from playbooks.case import schema
from playbooks.case.incident import Incident
from playbooks.case.severity import Severity
from playbooks.case.store.rows import change, next_number
from playbooks.errors import UnknownIncidentError


def add_incident(conn: Connection, incident: Incident) -> Incident:
    """Record a new incident and return it with its id."""
    number = next_number(conn, schema.incidents.c.number)
    named = replace(incident, id=f"INC-{number:04d}")
    conn.execute(
        insert(schema.incidents).values(
            number=number,
            id=named.id,
            play=named.play,
            title=named.title,
            severity=named.severity.value,
            target=dict(named.target),
            opened=named.opened.isoformat(),
            requester=named.requester,
            hindrances=list(named.hindrances),
            status=named.status,
            says=named.says,
            entry=named.entry,
            alert=dict(named.alert),
            place=named.place,
            holder="",
            fence=0,
            until="",
            quiet_from="",
        )
    )
    return named


def incident(conn: Connection, id: str) -> Incident:
    """Return the incident, or raise UnknownIncidentError."""
    row = conn.execute(select(schema.incidents).where(schema.incidents.c.id == id)).one_or_none()
    if row is None:
        raise UnknownIncidentError(f"there is no incident {id!r}. `stanch show` lists them.")
    return _incident(row)


def incidents(conn: Connection) -> list[Incident]:
    """Return all incidents, oldest first."""
    query = select(schema.incidents).order_by(schema.incidents.c.number)
    return [_incident(row) for row in conn.execute(query)]


# Whatever comes later about the same thing is another incident.
RELEASED = ("released, old sessions denied", "released")
CLOSED = ("rolled-back", *RELEASED, "gone")
# Built once, for every new finding asks it.
_OPEN_ON = (
    select(schema.incidents)
    .where(schema.incidents.c.place == bindparam("at"), schema.incidents.c.play == bindparam("by"))
    # Not as a list, which is expanded anew at each execution.
    .where(*(schema.incidents.c.status != status for status in CLOSED))
    .order_by(schema.incidents.c.number)
)


def open_on(conn: Connection, place: str, play: str) -> list[Incident]:
    """Return the incidents of this play on account/region/id that are not closed, oldest first."""
    rows = conn.execute(_OPEN_ON, {"at": place, "by": play})
    return [_incident(row) for row in rows]


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        play=row.play,
        title=row.title,
        severity=Severity(row.severity),
        target=row.target,
        opened=datetime.fromisoformat(row.opened),
        requester=row.requester,
        hindrances=tuple(row.hindrances),
        status=row.status,
        says=row.says,
        entry=row.entry,
        alert=row.alert,
    )


def set_status(conn: Connection, id: str, status: str, says: str = "") -> None:
    """Record how far the incident has come."""
    change(conn, schema.incidents, schema.incidents.c.id == id, status=status, says=says)


def raise_severity(conn: Connection, id: str, severity: Severity) -> bool:
    """Make the incident as severe as this, if it was less so; return whether it was."""
    # P0 is the worst, so the lower name is the more severe.
    table = schema.incidents
    milder = (table.c.id == id) & (table.c.severity > severity.value)
    return conn.execute(update(table).where(milder).values(severity=severity.value)).rowcount == 1


def lift_hindrances(conn: Connection, id: str) -> None:
    """Let happen by itself what the team has approved beforehand."""
    change(conn, schema.incidents, schema.incidents.c.id == id, hindrances=[])


def count_entry(conn: Connection, id: str) -> int:
    """Record that the incident became runnable again, and return the entry's number."""
    table = schema.incidents
    more = update(table).where(table.c.id == id).values(entry=table.c.entry + 1)
    entry = conn.scalar(more.returning(table.c.entry))
    if entry is None:
        raise UnknownIncidentError(f"there is no incident {id!r}. `stanch show` lists them.")
    return int(entry)
