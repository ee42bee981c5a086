"""Findings that were taken in, each under its dedupe key, and signed requests, each once."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Text, bindparam, cast, delete, insert, select, text, update

from playbooks.case import schema
from playbooks.case.severity import Severity
from playbooks.case.store.built import Built

# Built once: what a storm of repeats costs is mostly the building of statements.
_SEEN = text("INSERT INTO seen (digest, at) VALUES (:digest, :at) ON CONFLICT DO NOTHING")
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


def first_time(conn: Connection, digest: str, at: datetime) -> bool:
    """Record a signed request, signed at `at`; return False where it was recorded before."""
    done = conn.execute(_SEEN, {"digest": digest, "at": _text(at)})
    return done.rowcount == 1


def forget_requests(conn: Connection, before: datetime) -> None:
    """Drop some signed requests from before then, which are refused for their age already."""
    table = schema.seen
    old = select(table.c.digest).where(table.c.at < _text(before)).limit(_PER_TURN)
    conn.execute(delete(table).where(table.c.digest.in_(old)))


def repeat_alert(
    conn: Connection, delivery: Delivery, severity: Severity, hindered: bool
) -> str | None:
    """Count a delivery that says nothing new, and return its incident; None when it does.

    New is a finding that is unknown, or that would change its incident: by a higher count or a
    later occurrence, by its severity, or as the first on which Stanch may act by itself.
    """
    values = {
        "key": delivery.key,
        "n": delivery.count,
        "seen": _text(delivery.last_seen),
        "how_bad": severity.value,
        "hindered": hindered,
    }
    found = _REPEAT.run(conn, values)
    return str(found[0][0]) if found else None


def _repeat() -> Built:
    alert, of = schema.alerts, schema.incidents
    no_worse = of.c.severity <= bindparam("how_bad")
    as_free = bindparam("hindered") | (cast(of.c.hindrances, Text) == "[]")
    unchanged = select(of.c.id).where(of.c.id == alert.c.incident, no_worse, as_free).exists()
    return Built(
        update(alert)
        .where(
            alert.c.dedupe_key == bindparam("key"),
            alert.c.count >= bindparam("n"),
            alert.c.last_seen >= bindparam("seen"),
            unchanged,
        )
        .values(repeats=alert.c.repeats + 1)
        .returning(alert.c.incident)
    )


_REPEAT = _repeat()
_KNOWN = Built(
    select(schema.alerts.c.incident, schema.alerts.c.count, schema.alerts.c.last_seen)
    .where(schema.alerts.c.dedupe_key == bindparam("key"))
    .with_for_update()
)
_ADD = Built(insert(schema.alerts))


def count_repeat(conn: Connection, key: str) -> None:
    """Count a delivery that says nothing new, of a finding that is known."""
    table = schema.alerts
    more = update(table).where(table.c.dedupe_key == key)
    conn.execute(more.values(repeats=table.c.repeats + 1))


def known_alert(conn: Connection, key: str) -> Known | None:
    """Return what is known of the finding, or None when it never came."""
    rows = _KNOWN.run(conn, {"key": key})
    if not rows:
        return None
    ((incident, count, last_seen),) = rows
    return Known(incident, count, datetime.fromisoformat(last_seen))


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
