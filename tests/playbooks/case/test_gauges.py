"""Gauges from the database: they tell what is there, and that it cannot be told."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, insert

from evidence import ledger
from evidence.note import signer_of
from playbooks.case import schema, store
from playbooks.case.gauges import gauges, spooled
from playbooks.case.incident import Incident
from playbooks.case.record import Record
from playbooks.case.severity import Severity
from playbooks.case.spool import Spool, make
from playbooks.case.store import EVERYWHERE, Freeze, Store
from playbooks.wiring.metrics import Metrics

SIGNER = signer_of("stanch.test/ledger", Ed25519PrivateKey.generate())
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "sqlite":
        engine: Engine = ledger.sqlite_engine(tmp_path / "stanch.db")
    else:
        engine = ledger.postgres_engine(request.getfixturevalue("postgres_url"))
    with engine.begin() as conn:
        ledger.create_schema(conn)
        schema.metadata.create_all(conn)
    yield Store(engine)
    engine.dispose()


def read(db: Store) -> dict[str, float]:
    """Return name, with the label's value where there is one -> value."""
    at = db.read(lambda conn: store.clock(conn, lambda: NOW))
    return {
        "/".join([g.name.removeprefix("stanch_"), *(v for _, v in g.labels)]): g.value
        for g in gauges(db, lambda: at)
    }


def incident(severity: Severity, status: str) -> Incident:
    return Incident("", "compromised_instance", "t", severity, {}, NOW, "x", status=status)


def test_nothing_there_is_told_as_nothing(db: Store) -> None:
    told = read(db)
    assert told.pop("database_up") == 1
    assert set(told.values()) == {0}


def test_what_is_there_is_counted(db: Store) -> None:
    at = db.read(lambda conn: store.clock(conn, lambda: NOW))
    later = at + timedelta(hours=1)

    def fill(conn: Any) -> None:
        for severity, status in [
            (Severity.P0, "open"),
            (Severity.P0, "contained, live flows possible"),
            (Severity.P1, "rolled-back"),
            (Severity.P2, "gone"),
        ]:
            store.add_incident(conn, incident(severity, status))
        for due in (at - timedelta(seconds=90), at - timedelta(seconds=1), later):
            store.add_work(conn, "INC-0001", "alert", due)
        for _ in range(5):
            store.work_failed(conn, 1, "broke", at - timedelta(seconds=90))
        for account in (EVERYWHERE, "111122223333"):
            store.add_freeze(conn, Freeze(account, "alice", "drill", at))
        values = {"about": {}, "requester": "x", "asked": at.isoformat(), "scopes": []}
        for n, (state, expires) in enumerate([("open", later), ("open", at), ("yes", later)], 1):
            row = {"number": n, "id": f"Q-{n}", "incident": "INC-0001", "step": "s"}
            more = {"state": state, "expires": expires.isoformat()}
            conn.execute(insert(schema.questions).values(row | values | more))
        for _ in range(3):
            Record("x", lambda: at, lambda n: b"\0" * n).note(conn, "INC-0001", "case.open", {})

    db.commit(fill)
    told = read(db)
    expected = {
        "database_up": 1,
        "incidents_open/P0": 2,
        "incidents_open/P1": 0,
        "incidents_open/P2": 0,
        "work_due": 2,
        "work_stuck": 1,
        "questions_waiting": 1,
        "frozen/all": 1,
        "frozen/account": 1,
        "ledger_unintegrated_entries": 3,
        "ledger_size": 0,
    }
    assert {name: told[name] for name in expected} == expected
    assert told["work_oldest_seconds"] == pytest.approx(90, abs=5)
    assert "ledger_checkpoint_age_seconds" not in told
    signed = at - timedelta(seconds=30)
    db.commit(lambda conn: ledger.integrate(conn, SIGNER, now=signed))
    told = read(db)
    assert (told["ledger_unintegrated_entries"], told["ledger_size"]) == (0, 3)
    assert told["ledger_checkpoint_age_seconds"] == pytest.approx(30, abs=5)


def test_a_database_that_is_none_is_told_and_ends_no_scrape(tmp_path: Path) -> None:
    (tmp_path / "stanch.db").write_bytes(b"no database at all, whatever it is")
    db = Store(ledger.sqlite_engine(tmp_path / "stanch.db"))
    metrics = Metrics()
    metrics.watch(lambda: gauges(db, lambda: NOW))
    assert b"stanch_database_up 0.0" in metrics.text()
    assert b"stanch_work_due" not in metrics.text()


def test_what_waits_in_the_spool_is_counted(tmp_path: Path) -> None:
    def told() -> dict[str, float]:
        return {g.name: g.value for g in spooled(Spool(tmp_path / "spool"))}

    assert told() == {}
    make(tmp_path / "spool", 1 << 16, os.urandom)
    assert told() == {"stanch_spool_records": 0, "stanch_spool_used_bytes": 0}
    for number in range(3):
        Spool(tmp_path / "spool").append({"number": number})
    assert told()["stanch_spool_records"] == 3
    assert told()["stanch_spool_used_bytes"] > 3 * 64
