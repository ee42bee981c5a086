"""Findings that were taken in, each under its dedupe key, and signed requests, each once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from evidence.ledger_engine import in_dialect, run
from playbooks.case import schema
from playbooks.case.severity import Severity
from playbooks.case.store.built import Built

_PER_TURN = 1024


@dataclass(frozen=True, slots=True)
class Known:
    """What a finding said when it last said something new, and the incident it belongs to."""

    incident: str
    count: int
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a finding: what makes it newer than another, and how it came."""

    key: str
    count: int
    last_seen: datetime
    channel: str
    received: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """One delivery, how bad it says that things are, and whether a person must be asked."""

    delivery: Delivery
    severity: Severity
    hindered: bool


def first_times(conn: Connection, requests: Sequence[tuple[str, datetime]]) -> set[str]:
    """Record signed requests, each by its digest and when it was signed; return the new digests."""
    if not requests:
        return set()
    rows = ", ".join(["(?, ?)"] * len(requests))
    statement = f"INSERT INTO seen (digest, at) VALUES {rows}"  # noqa: S608 - marks alone
    values = [value for digest, at in requests for value in (digest, _text(at))]
    added = run(
        conn, in_dialect(conn, f"{statement} ON CONFLICT DO NOTHING RETURNING digest"), values
    )
    return {digest for (digest,) in added}


def forget_requests(conn: Connection, before: datetime) -> None:
    """Drop some signed requests from before then, which are refused for their age already."""
    table = schema.seen
    old = select(table.c.digest).where(table.c.at < _text(before)).limit(_PER_TURN)
    conn.execute(delete(table).where(table.c.digest.in_(old)))


def repeat_alerts(conn: Connection, said: Sequence[Said]) -> dict[str, str]:
    """Count the deliveries that say nothing new; return the incident of each by its key.

    Each is of another finding. New is a finding that is unknown, or that would change its
    incident: by a higher count or a later occurrence, by its severity, or as the first on which
    Stanch may act by itself.
    """
    if not said:
        return {}
    values: list[str | int] = []
    for one in said:
        came = one.delivery
        values += [came.key, came.count, _text(came.last_seen)]
        values += [one.severity.value, int(one.hindered)]
    rows = ", ".join(["(?, ?, ?, ?, ?)"] * len(said))
    found = run(conn, in_dialect(conn, _REPEAT.replace("{rows}", rows)), values)
    return dict(map(tuple, found))


# One statement for all that came together: in a storm the ways to the database cost the most.
# SQLite and PostgreSQL both call the columns of VALUES column1 and so on.
_REPEAT = """
UPDATE alerts SET repeats = repeats + 1 FROM (VALUES {rows}) AS came
WHERE dedupe_key = came.column1
  AND count >= CAST(came.column2 AS INTEGER) AND last_seen >= came.column3
  AND EXISTS (SELECT 1 FROM incidents WHERE incidents.id = alerts.incident
    AND incidents.severity <= came.column4
    AND (CAST(came.column5 AS INTEGER) = 1 OR CAST(incidents.hindrances AS TEXT) = '[]'))
RETURNING dedupe_key, incident"""
_ADD = Built(insert(schema.alerts))


def count_repeat(conn: Connection, key: str) -> None:
    """Count a delivery that says nothing new, of a finding that is known."""
    table = schema.alerts
    more = update(table).where(table.c.dedupe_key == key)
    conn.execute(more.values(repeats=table.c.repeats + 1))


def known_alert(conn: Connection, key: str) -> Known | None:
    """Return what is known of the finding, or None when it never came."""
    return known_alerts(conn, [key]).get(key)


def known_alerts(conn: Connection, keys: Sequence[str]) -> dict[str, Known]:
    """Return what is known of each finding that came before, by its key; it stays so."""
    if not keys:
        return {}
    marks = ", ".join("?" * len(keys))
    statement = (
        "SELECT dedupe_key, incident, count, last_seen FROM alerts"  # noqa: S608 - marks alone
        f" WHERE dedupe_key IN ({marks}) ORDER BY dedupe_key"
    )
    if conn.dialect.name != "sqlite":
        statement += " FOR UPDATE"
    rows = run(conn, in_dialect(conn, statement), keys)
    return {key: Known(of, count, datetime.fromisoformat(last)) for key, of, count, last in rows}


def add_alert(conn: Connection, incident: str, delivery: Delivery) -> None:
    """Record a finding's first delivery, and the incident it opened or joined."""
    row = {
        "dedupe_key": delivery.key,
        "incident": incident,
        "count": delivery.count,
        "last_seen": _text(delivery.last_seen),
        "channel": delivery.channel,
        "received": _text(delivery.received),
        "repeats": 0,
    }
    _ADD.run(conn, row)


def change_alert(conn: Connection, incident: str, known: Known, delivery: Delivery) -> None:
    """Record a delivery that says something new of a known finding; nothing goes down."""
    table = schema.alerts
    conn.execute(
        update(table)
        .where(table.c.dedupe_key == delivery.key)
        .values(
            incident=incident,
            count=max(known.count, delivery.count),
            last_seen=_text(max(known.last_seen, delivery.last_seen)),
            channel=delivery.channel,
            received=_text(delivery.received),
        )
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
