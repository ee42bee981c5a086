"""Findings that were taken in, each under its dedupe key."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from playbooks.case import schema
from playbooks.case.store.rows import change


def join_alert(conn: Connection, dedupe_key: str, count: int, seen: datetime) -> str | None:
    """Return the incident that this finding already opened, its count updated; else None."""
    table = schema.alerts
    row = conn.execute(select(table).where(table.c.dedupe_key == dedupe_key)).one_or_none()
    if row is None:
        return None
    if count > row._mapping["count"]:
        where = table.c.dedupe_key == dedupe_key
        change(conn, table, where, count=count, last_seen=seen.isoformat())
    return str(row.incident)


def add_alert(conn: Connection, dedupe_key: str, incident: str, count: int, at: datetime) -> None:
    """Record that this finding opened the incident."""
    conn.execute(
        insert(schema.alerts).values(
            dedupe_key=dedupe_key, incident=incident, count=count, last_seen=at.isoformat()
        )
    )
