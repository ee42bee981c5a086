"""The database's condition, the room around it, and whether what was recorded is signed."""

import os
from collections import namedtuple
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine

from evidence import ledger
from evidence.errors import LedgerCorruptError
from evidence.note import signer_of
from playbooks.case import migrating, store
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.desk.doctor import database
from playbooks.desk.doctor.accounts import database_clock
from playbooks.desk.doctor.running import run
from tests.playbooks.desk.doctor.conftest import At, levels, moved, the

SIGNER = signer_of("stanch.test/ledger", Ed25519PrivateKey.generate())


def hasty(db: Store) -> bool:
    """Return whether this is a PostgreSQL that the tests run without fsync."""
    with db.engine.connect() as conn:
        sqlite = conn.dialect.name == "sqlite"
        return not sqlite and conn.exec_driver_sql("SHOW fsync").scalar() == "off"


def test_a_new_database_is_well_unless_a_power_cut_may_empty_it(db: Store, place: At) -> None:
    found = the(database.database(place), "database")
    if hasty(db):
        assert (found.level, "fsync is off" in found.what) == ("bad", True)
    else:
        assert (found.level, f"schema {migrating.HEAD}" in found.what) == ("ok", True)
    assert levels(database.signed(place)) == [("checkpoint", "ok")]
    assert levels(database.replayed(place)) == [("ledger", "ok")]


@pytest.mark.parametrize(("version", "word"), [("0001", "stanch migrate"), ("9999", "")])
def test_a_schema_of_another_version(db: Store, place: At, version: str, word: str) -> None:
    with db.engine.begin() as conn:
        conn.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    (found,) = [one for one in database.database(place) if "schema" in one.what]
    assert (found.level, version in found.what, word in found.do) == ("bad", True, True)


def test_a_database_that_would_lose_what_was_acknowledged(tmp_path: Path, place: At) -> None:
    # As some other program would open it: no write-ahead log, no sync at each commit.
    careless = create_engine(f"sqlite:///{tmp_path / 'careless.db'}")
    with careless.begin() as conn:
        conn.exec_driver_sql("PRAGMA synchronous = OFF")
        found = database.condition(conn)
    careless.dispose()
    assert len(found.wrong) == 2


def test_a_server_that_acknowledges_what_it_may_lose(db: Store) -> None:
    with db.engine.connect() as conn:
        if conn.dialect.name == "sqlite":
            return
        conn.exec_driver_sql("SET synchronous_commit = off")
        assert any("synchronous_commit" in wrong for wrong in database.condition(conn).wrong)


def test_a_database_whose_pages_were_overwritten_is_bad(tmp_path: Path, place: At) -> None:
    path = tmp_path / "hurt.db"
    engine = ledger.sqlite_engine(path)
    with engine.begin() as conn:
        ledger.create_schema(conn)
    # The last connection to end moves the write-ahead log into the file.
    engine.dispose()
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 4] = os.urandom(4096)
    path.write_bytes(data)
    hurt = At(place.settings, place.now, given=ledger.sqlite_engine(path))
    found = run({"database": lambda: database.database(hurt)})
    assert "bad" in {one.level for one in found}
    hurt.given.dispose()


def note(db: Store, place: At, count: int) -> None:
    record = Record("x", place.now, os.urandom)
    for _ in range(count):
        db.commit(lambda conn: record.note(conn, "INC-0001", "case.open", {}))


def test_what_is_recorded_and_not_signed_for_long(db: Store, place: At) -> None:
    at = db.read(lambda conn: store.clock(conn, place.now))
    note(db, place, 2)
    assert the(database.signed(place), "checkpoint").level == "warn"
    db.commit(lambda conn: ledger.integrate(conn, SIGNER, now=at))
    assert the(database.signed(place), "checkpoint").level == "ok"
    # Just recorded: the next checkpoint covers it.
    note(db, place, 1)
    assert the(database.signed(place), "checkpoint").level == "ok"


def test_a_ledger_edited_behind_our_back(db: Store, place: At) -> None:
    note(db, place, 3)
    db.commit(lambda conn: ledger.integrate(conn, SIGNER, now=place.now()))
    with db.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE ledger_entries SET leaf_hash = leaf WHERE idx = 1")
    with pytest.raises(LedgerCorruptError):
        list(database.replayed(place))


Free = namedtuple("Free", "f_bavail f_frsize")


@pytest.mark.parametrize(("mib", "level"), [(5000, "ok"), (500, "warn"), (50, "bad")])
def test_room_on_the_disk(place: At, mib: int, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: Free(mib, 1 << 20))
    assert levels(database.room(place)) == [("disk", level)]


def test_a_host_whose_clock_is_not_the_databases(db: Store, place: At) -> None:
    def level(off: timedelta) -> str:
        at = place.now() + off
        return the(database_clock(moved(place, at)), "clock of the database").level

    told: Any = {s: level(timedelta(seconds=s)) for s in (-120, -20, 0, 20, 120)}
    if db.engine.dialect.name == "sqlite":
        assert set(told.values()) == {"ok"}
    else:
        assert told == {-120: "bad", -20: "warn", 0: "ok", 20: "warn", 120: "bad"}
