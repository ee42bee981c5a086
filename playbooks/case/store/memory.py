"""What the guard must know while the database is away: rows read in time, and a store over them."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.pool import StaticPool

from evidence import ledger
from playbooks.case import schema
from playbooks.case.store.commit import Store
from playbooks.case.store.freezes import Freeze, add_freeze
from playbooks.case.store.incidents import CLOSED
from playbooks.case.store.steps import LIVE

T = TypeVar("T")
Rows = list[Mapping[str, Any]]
# So many findings are known while the database is away; an older one is joined at the import.
ALERTS = 1000
INCIDENTS = 2000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows by table: what is open, held, frozen and known, as of one moment."""

    rows: Mapping[str, Rows] = field(default_factory=dict)

    def with_incident(self, other: "Snapshot") -> "Snapshot":
        """Return this with what the other says of its incident, table by table."""
        ids = {row["id"] for row in other.rows["incidents"]}
        merged = dict(self.rows)
        for table, rows in other.rows.items():
            name = "id" if table == "incidents" else "incident"
            others = [row for row in self.rows.get(table, ()) if row[name] not in ids]
            merged[table] = others + rows
        return Snapshot(merged)


class MemoryStore(Store):
    """A store in memory, one caller at a time; it needs no disk."""

    def __init__(self, known: Snapshot) -> None:
        super().__init__(_engine())
        self._turn = threading.RLock()
        self.commit(lambda conn: _fill(conn, known))

    def commit(self, work: Callable[[Connection], T]) -> T:
        """Run the work in a transaction."""
        with self._turn, self.engine.begin() as conn:
            return work(conn)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run work that only reads."""
        return self.commit(work)


class Within(Store):
    """A store over a transaction that is open: what is committed through it joins that one."""

    def __init__(self, conn: Connection) -> None:
        super().__init__(conn.engine)
        self._conn = conn

    def commit(self, work: Callable[[Connection], T]) -> T:
        """Run the work on the open transaction; it is durable when that is."""
        return work(self._conn)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run work that only reads."""
        return work(self._conn)


def snapshot(conn: Connection) -> Snapshot:
    """Return what the guard must know: freezes, incidents, live steps, findings."""
    cases, steps, alerts = schema.incidents, schema.steps, schema.alerts
    rows = {
        "freezes": _rows(conn, select(schema.freezes)),
        "incidents": _rows(conn, select(cases).order_by(cases.c.number.desc()).limit(INCIDENTS)),
    }
    # A finding is known only together with its incident.
    known = {row["id"] for row in rows["incidents"]}
    newest = select(alerts).order_by(alerts.c.received.desc()).limit(ALERTS)
    rows["alerts"] = [row for row in _rows(conn, newest) if row["incident"] in known]
    ids = [row["id"] for row in rows["incidents"] if row["status"] not in CLOSED]
    rows["steps"] = _rows(
        conn,
        select(steps).where(steps.c.phase.in_(LIVE) | steps.c.incident.in_(ids)),
    )
    for table in (schema.kept, schema.questions):
        rows[table.name] = _rows(conn, select(table).where(_of(table, ids)))
    return Snapshot(rows)


def snapshot_of(conn: Connection, incident: str, *tables: str) -> Snapshot:
    """Return an incident's row, its steps, and what else of it is named."""
    cases = schema.incidents
    rows = {"incidents": _rows(conn, select(cases).where(cases.c.id == incident))}
    for name in ("steps", *tables):
        table = schema.metadata.tables[name]
        rows[name] = _rows(conn, select(table).where(_of(table, [incident])))
    return Snapshot(rows)


def rename(conn: Connection, incident: str, name: str) -> None:
    """Give an incident in memory another id: that of the database is not known yet."""
    conn.execute(update(schema.incidents).where(schema.incidents.c.id == incident).values(id=name))
    for table in (schema.alerts, schema.work, schema.kept):
        conn.execute(update(table).where(table.c.incident == incident).values(incident=name))


def learn(conn: Connection, found: Snapshot) -> None:
    """Put what is said of incidents in place of what the memory knew of them."""
    for name, rows in found.rows.items():
        table = schema.metadata.tables[name]
        of = table.c.id if name == "incidents" else table.c.incident
        ids = {row["id" if name == "incidents" else "incident"] for row in rows}
        conn.execute(delete(table).where(of.in_(ids)))
        for row in rows:
            # Numbered anew: what was spooled meanwhile has numbers too.
            mine = {k: v for k, v in _fitting(table, row).items() if k != "number"}
            conn.execute(insert(table).values(mine))


def refreeze(conn: Connection, now: Iterable[Freeze]) -> None:
    """Put the freezes that hold now in place of those in memory."""
    conn.execute(delete(schema.freezes))
    for freeze in now:
        add_freeze(conn, freeze)


def _of(table: Table, ids: Iterable[str]) -> ColumnElement[bool]:
    where = table.c.incident.in_(list(ids))
    # What evidence was kept is long, and decides nothing here.
    return where & table.c.step.not_like("keep/%") if table.name == "kept" else where


def _rows(conn: Connection, query: Any) -> Rows:
    return [dict(row) for row in conn.execute(query).mappings()]


def _fill(conn: Connection, known: Snapshot) -> None:
    ledger.create_schema(conn)
    schema.metadata.create_all(conn)
    for name, rows in known.rows.items():
        table = schema.metadata.tables[name]
        if rows:
            conn.execute(insert(table), [_fitting(table, row) for row in rows])


def _fitting(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row; one that is held there is held by nobody here."""
    return dict(row) | (
        {"holder": "", "until": "", "fence": 0} if table.name == "incidents" else {}
    )


def _engine() -> Engine:
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine
