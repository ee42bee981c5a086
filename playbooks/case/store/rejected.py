"""Dead letters: what a known sender or queue brought and could not be understood."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select

from playbooks.case import schema

KEPT = 10_000
MAX_BODY = 65_536


@dataclass(frozen=True, slots=True)
class Rejected:
    """One dead letter. `body` is its text as far as it is kept; `sha256` and `size` are whole."""

    channel: str
    at: datetime
    reason: str
    sha256: str
    size: int
    body: str


def rejected_letter(channel: str, at: datetime, reason: str, data: bytes) -> Rejected:
    """Return the dead letter for these bytes."""
    # PostgreSQL's text holds no NUL ("Character Types").
    body = data[:MAX_BODY].decode("utf-8", "replace").replace("\0", "\ufffd")
    return Rejected(channel, at, reason, hashlib.sha256(data).hexdigest(), len(data), body)


def add_rejected(conn: Connection, one: Rejected) -> None:
    """Record a dead letter, and drop what is more than KEPT letters old."""
    table = schema.rejected
    added = conn.execute(
        insert(table)
        .values(
            channel=one.channel,
            at=one.at.astimezone(UTC).isoformat(),
            reason=one.reason,
            sha256=one.sha256,
            size=one.size,
            body=one.body,
        )
        .returning(table.c.id)
    ).scalar_one()
    conn.execute(delete(table).where(table.c.id <= added - KEPT))


def rejected(conn: Connection, limit: int = 20) -> list[Rejected]:
    """Return the newest dead letters, the newest first."""
    table = schema.rejected
    rows = conn.execute(select(table).order_by(table.c.id.desc()).limit(limit))
    return [
        Rejected(r.channel, datetime.fromisoformat(r.at), r.reason, r.sha256, r.size, r.body)
        for r in rows
    ]


def rejections(conn: Connection) -> dict[str, int]:
    """Return channel -> how many of its dead letters are kept."""
    table = schema.rejected
    rows = conn.execute(select(table.c.channel, func.count().label("n")).group_by(table.c.channel))
    return {row.channel: row.n for row in rows}


def last_received(conn: Connection) -> dict[str, datetime]:
    """Return channel -> when it last brought something new."""
    table = schema.alerts
    query = select(table.c.channel, func.max(table.c.received)).group_by(table.c.channel)
    return {c: datetime.fromisoformat(at) for c, at in conn.execute(query) if c and at}
