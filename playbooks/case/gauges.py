"""The gauges that are read from the database when they are asked for."""

from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from playbooks.case import store
from playbooks.case.severity import Severity
from playbooks.case.spool import HEADER, Spool
from playbooks.case.store import EVERYWHERE, Store
from playbooks.case.store.health import Health, health
from playbooks.errors import SpoolError
from playbooks.wiring.metrics import Gauge


def gauges(db: Store, now: Callable[[], datetime]) -> Iterator[Gauge]:
    """Yield where the deployment stands; only stanch_database_up, as 0, where none can tell."""
    up = "Whether the database can be read: 1 or 0."

    def read(conn: Connection) -> tuple[Health, datetime]:
        at = store.clock(conn, now)
        return health(conn, at), at

    try:
        found, at = db.read(read)
    except SQLAlchemyError:
        yield Gauge("stanch_database_up", up, 0)
        return
    yield Gauge("stanch_database_up", up, 1)
    for severity in Severity:
        yield Gauge(
            "stanch_incidents_open",
            "Incidents not yet rolled back, released or gone.",
            found.incidents.get(severity.value, 0),
            (("severity", severity.value),),
        )
    accounts = sum(account != EVERYWHERE for account in found.frozen)
    for scope, count in (("all", len(found.frozen) - accounts), ("account", accounts)):
        yield Gauge("stanch_frozen", "Freezes that stand.", count, (("scope", scope),))
    yield Gauge("stanch_work_due", "Work that could be done now.", found.work_due)
    yield Gauge("stanch_work_stuck", "Work that broke off five times.", found.work_stuck)
    yield Gauge(
        "stanch_work_oldest_seconds",
        "How long the oldest due work waits.",
        _since(found.oldest_due, at),
    )
    yield Gauge("stanch_questions_waiting", "Questions nobody has answered.", found.questions)
    yield Gauge("stanch_steps_half_way", "Steps begun and not ended.", found.half_way)
    yield Gauge("stanch_rejected_messages", "Dead letters that are kept.", found.rejected)
    yield Gauge(
        "stanch_ledger_unintegrated_entries",
        "Entries that no checkpoint covers yet.",
        found.unintegrated,
    )
    yield Gauge("stanch_ledger_size", "Entries that a checkpoint covers.", found.tree_size)
    if found.checkpoint:
        yield Gauge(
            "stanch_ledger_checkpoint_age_seconds",
            "Since the newest checkpoint was signed; grows while nothing happens.",
            _since(found.checkpoint, at),
        )


def _since(then: datetime | None, at: datetime) -> float:
    return max((at - then).total_seconds(), 0.0) if then else 0.0


def spooled(spool: Spool) -> Iterator[Gauge]:
    """Yield what waits in the spool; nothing where there is none that can be read."""
    try:
        seen = None if spool.empty() else spool.read()
    except SpoolError:
        return
    records, used = (len(seen.records), seen.end - HEADER) if seen else (0, 0)
    yield Gauge("stanch_spool_records", "Records that wait to be imported.", records)
    yield Gauge("stanch_spool_used_bytes", "Room that they take.", used)
