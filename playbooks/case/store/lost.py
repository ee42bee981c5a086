"""What a process left behind that died, or that lost its lease."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, select

from playbooks.case import schema

BEGUN = ("intended", "undoing")


def abandoned(
    conn: Connection,
    now: datetime,
    alive: Callable[[str], bool],
    ours: Callable[[str], bool],
) -> list[str]:
    """Return the incidents whose holder is dead, or has not renewed its lease in time.

    What is `ours` goes on: there a lease seems to end only where the clock jumped, or where the
    whole process was paused, and it is renewed presently.
    """
    table = schema.incidents
    query = select(table.c.id, table.c.holder, table.c.until).where(table.c.holder != "")
    rows = conn.execute(query.order_by(table.c.number))
    return [
        r.id
        for r in rows
        if not ours(r.holder) and (r.until <= now.isoformat() or not alive(r.holder))
    ]


def unheld(conn: Connection) -> list[str]:
    """Return the incidents that nobody holds."""
    table = schema.incidents
    return list(conn.scalars(select(table.c.id).where(table.c.holder == "")))


def begun(conn: Connection) -> list[str]:
    """Return the incidents with steps that were begun and not ended.

    What an entry tried and could not do has an error, and is not among them.
    """
    table = schema.steps
    query = select(table.c.incident).where(table.c.phase.in_(BEGUN), table.c.error == "")
    return list(conn.scalars(query.group_by(table.c.incident).order_by(table.c.incident)))
