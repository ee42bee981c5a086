"""What is to be done next: rows that make an incident runnable, at once or at a time.

A row is written in the transaction of what caused it, so nothing that was accepted is forgotten,
and is done only when an entry that began after it has ended.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from playbooks.case import schema
from playbooks.case.store.commit import lock

TIMER = "timer"
# The longest that work which failed waits before it is tried again.
LONGEST = timedelta(minutes=10)


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


def add_timer(conn: Connection, incident: str, due: datetime) -> None:
    """Make the incident runnable at a time, once: nothing is added where the same waits already."""
    table = schema.work
    lock(conn, f"work/{incident}")
    same = (table.c.incident == incident) & (table.c.why == TIMER) & table.c.done.is_(False)
    if conn.scalar(select(table.c.id).where(same, table.c.due == due.isoformat()).limit(1)) is None:
        add_work(conn, incident, TIMER, due)


def drop_timer(conn: Connection, incident: str, due: datetime) -> None:
    """Take for settled what was to be done at this time: it came about before."""
    table = schema.work
    same = (table.c.incident == incident) & (table.c.why == TIMER)
    conn.execute(update(table).where(same, table.c.due == due.isoformat()).values(done=True))


def _due(now: datetime) -> ColumnElement[bool]:
    """Return which rows are due.

    Only a timer waits for a time of day. What was to be done at once is due though the clock was
    set back since; a further try is due when its pause is over, or cannot be (set back as well).
    """
    table = schema.work
    passed = table.c.due <= now.isoformat()
    late = (table.c.tries == 0) | (table.c.due > (now + LONGEST).isoformat())
    return table.c.done.is_(False) & or_(passed, (table.c.why != TIMER) & late)


def due_work(conn: Connection, now: datetime, limit: int = 1000) -> list[Work]:
    """Return what is due, the longest waiting first."""
    table = schema.work
    rows = conn.execute(select(table).where(_due(now)).order_by(table.c.id).limit(limit))
    return [_work(row) for row in rows]


def open_work(conn: Connection, incident: str) -> list[Work]:
    """Return what is still to be done for the incident, timers that are not yet due too."""
    table = schema.work
    where = (table.c.incident == incident) & table.c.done.is_(False)
    return [_work(row) for row in conn.execute(select(table).where(where).order_by(table.c.id))]


def _work(row: Row[Any]) -> Work:
    due = datetime.fromisoformat(row.due)
    return Work(row.id, row.incident, row.why, due, row.tries, row.error)


def last_work(conn: Connection, incident: str, now: datetime) -> int:
    """Return the id of the newest work of the incident that is due and open, or 0.

    It is what an entry that begins now will settle.
    """
    table = schema.work
    query = select(func.max(table.c.id)).where(table.c.incident == incident, _due(now))
    return conn.scalar(query) or 0


def work_done(conn: Connection, incident: str, upto: int, now: datetime) -> None:
    """Record that what was due and known when the entry began, at `now`, is settled."""
    table = schema.work
    where = (table.c.incident == incident) & (table.c.id <= upto) & _due(now)
    conn.execute(update(table).where(where).values(done=True))


def work_failed(conn: Connection, id: int, error: str, again: datetime) -> None:
    """Record that an entry broke off, and when it is tried again."""
    table = schema.work
    values = {"tries": table.c.tries + 1, "error": error, "due": again.isoformat()}
    conn.execute(update(table).where(table.c.id == id).values(values))


def forget_work(conn: Connection, before: datetime) -> None:
    """Forget what was due before then and is done."""
    table = schema.work
    conn.execute(delete(table).where(table.c.done.is_(True), table.c.due < before.isoformat()))
