"""Notification duties as rows: a log that is only added to, and the clocks that it opened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from playbooks.case import schema
from playbooks.case.store.rows import change

# So many rows are written by one statement.
BATCH = 500


@dataclass(frozen=True, slots=True)
class LogRow:
    """One thing that somebody recorded, and `proof`, their signature over it (a JWS)."""

    incident: str
    at: datetime
    by: str
    kind: str
    body: Mapping[str, Any]
    proof: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One duty that was opened: `state`, how it was closed, and what was shown of it.

    `due` is the last instant of the date to act on. `level` is how many reminders were told.
    """

    duty: str
    opened: datetime
    due: datetime | None
    state: str
    closed: datetime | None = None
    closed_how: str = ""
    level: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)
    incident: str = ""


def add_log(conn: Connection, row: LogRow) -> LogRow:
    """Record an entry and return it with its number."""
    table = schema.duty_log
    values = {
        "incident": row.incident,
        "at": _text(row.at),
        "by": row.by,
        "kind": row.kind,
        "body": dict(row.body),
        "proof": row.proof,
    }
    number = conn.execute(insert(table).values(values).returning(table.c.number)).scalar_one()
    return replace(row, number=number)


def duty_log(conn: Connection, incident: str) -> list[LogRow]:
    """Return what was recorded of an incident, in the order in which it was."""
    table = schema.duty_log
    query = select(table).where(table.c.incident == incident).order_by(table.c.number)
    return [
        LogRow(row.incident, _time(row.at), row.by, row.kind, row.body, row.proof, row.number)
        for row in conn.execute(query)
    ]


def clocks(conn: Connection, incident: str) -> dict[str, ClockRow]:
    """Return the incident's clocks by duty, in the order in which they were opened."""
    table = schema.duties
    query = select(table).where(table.c.incident == incident).order_by(table.c.number)
    return {row.duty: _clock(row) for row in conn.execute(query)}


def put_clocks(conn: Connection, incident: str, rows: Iterable[ClockRow]) -> None:
    """Record clocks as they now stand: new ones are added, known ones changed."""
    table = schema.duties
    query = select(table.c.duty).where(table.c.incident == incident)
    known = {row.duty for row in conn.execute(query)}
    values = [{"incident": incident, "duty": row.duty} | _values(row) for row in rows]
    new = [v for v in values if v["duty"] not in known]
    for start in range(0, len(new), BATCH):
        conn.execute(insert(table), new[start : start + BATCH])
    old = [v for v in values if v["duty"] in known]
    if old:
        where = (table.c.incident == bindparam("the_incident")) & (
            table.c.duty == bindparam("the_duty")
        )
        names = [name for name in old[0] if name not in ("incident", "duty")]
        conn.execute(
            update(table).where(where).values({n: bindparam(f"the_{n}") for n in names}),
            [{f"the_{name}": value for name, value in v.items()} for v in old],
        )


def set_level(conn: Connection, incident: str, duty: str, level: int) -> None:
    """Record how many reminders of a clock were told."""
    table = schema.duties
    change(conn, table, (table.c.incident == incident) & (table.c.duty == duty), level=level)


def _values(row: ClockRow) -> dict[str, Any]:
    return {
        "opened": _text(row.opened),
        "due": _text(row.due),
        "state": row.state,
        "closed": _text(row.closed),
        "closed_how": row.closed_how,
        "level": row.level,
        "body": dict(row.body),
    }


def _clock(row: Row[Any]) -> ClockRow:
    return ClockRow(
        duty=row.duty,
        opened=_time(row.opened),
        due=_time(row.due) if row.due else None,
        state=row.state,
        closed=_time(row.closed) if row.closed else None,
        closed_how=row.closed_how,
        level=row.level,
        body=row.body,
        incident=row.incident,
    )


def _text(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
