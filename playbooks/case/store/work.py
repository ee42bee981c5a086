"""What is to be done next: rows that make an incident runnable, at once or at a time.

A row is written in the transaction of what caused it, so nothing that was accepted is forgotten,
and is done only when an entry that began after it has ended.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from playbooks.case import schema
from playbooks.case.store.commit import lock


@dataclass(frozen=True, slots=True)
class Work:
    """One reason to enter an incident: alert, answer, timer, lost lease, unfreeze, import."""

    id: int
    incident: str
    why: str
    due: datetime
    tries: int
    error: str = ""


def add_work(conn: Connection, incident: str, why: str, due: datetime) -> None:
    """Make the incident runnable from `due` on."""
    # PostgreSQL gives ids before commit. One after the other, a row that an entry could not see
    # when it began has a higher id than all that it saw.
    lock(conn, f"work/{incident}")
    conn.execute(
        insert(schema.work).values(
            incident=incident, why=why, due=due.isoformat(), tries=0, error="", done=False
        )
    )


def due_work(conn: Connection, now: datetime, limit: int = 100) -> list[Work]:
    """Return what is due, the longest waiting first."""
    table = schema.work
    query = select(table).where(table.c.done.is_(False), table.c.due <= now.isoformat())
    rows = conn.execute(query.order_by(table.c.due, table.c.id).limit(limit))
    return [
        Work(r.id, r.incident, r.why, datetime.fromisoformat(r.due), r.tries, r.error) for r in rows
    ]


def next_due(conn: Connection) -> datetime | None:
    """Return when the next work is due, or None when there is none."""
    table = schema.work
    found = conn.scalar(select(func.min(table.c.due)).where(table.c.done.is_(False)))
    return datetime.fromisoformat(found) if found else None


def last_work(conn: Connection, incident: str, now: datetime) -> int:
    """Return the id of the newest work of the incident that is due: what an entry will settle."""
    table = schema.work
    where = (table.c.incident == incident) & (table.c.due <= now.isoformat())
    return conn.scalar(select(func.max(table.c.id)).where(where)) or 0


def work_done(conn: Connection, incident: str, upto: int, now: datetime) -> None:
    """Record that what was due and known when the entry began is settled."""
    table = schema.work
    where = (table.c.incident == incident) & (table.c.id <= upto) & (table.c.due <= now.isoformat())
    conn.execute(update(table).where(where, table.c.done.is_(False)).values(done=True))


def work_failed(conn: Connection, id: int, error: str, again: datetime) -> None:
    """Record that an entry broke off, and when it is tried again."""
    table = schema.work
    values = {"tries": table.c.tries + 1, "error": error, "due": again.isoformat()}
    conn.execute(update(table).where(table.c.id == id).values(values))
