"""A database of an earlier Stanch becomes what a new one would be, keeps all, and only if asked."""

import contextlib
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from evidence import ledger
from evidence.note import signer_of
from playbooks.case import migrating, store
from playbooks.case.store import Store
from playbooks.errors import DatabaseError
from tests.evidence.chamber import ORIGIN
from tests.evidence.test_ledger_tree import chamber_key

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
OLD = Path(__file__).with_name("schema_0001.sql")
STEPS = Path(migrating.__file__).with_name("migrations")
ENGINES = ["sqlite", "postgresql"]


@pytest.fixture(params=ENGINES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "postgresql":
        engine = ledger.postgres_engine(request.getfixturevalue("postgres_url"))
    else:
        engine = ledger.sqlite_engine(tmp_path / "stanch.db")
    yield engine
    engine.dispose()


@pytest.fixture
def old_file(tmp_path: Path) -> Iterator[Engine]:
    """A file as Stanch 0.1 made it, before versions were recorded."""
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as conn:
        conn.executescript(OLD.read_text())
    engine = ledger.sqlite_engine(tmp_path / "old.db")
    yield engine
    engine.dispose()


def upgrade(engine: Engine, to: str) -> None:
    """Make the schema step by step, from nothing."""
    config = Config()
    config.set_main_option("script_location", str(STEPS))
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, to)


def described(engine: Engine) -> Any:
    """Return all tables with their columns, keys and indexes, in an order of their names."""
    with engine.connect() as conn:
        seen = sa.inspect(conn)

        def table(name: str) -> Any:
            columns = {
                c["name"]: (str(c["type"]), c["nullable"], c["default"])
                for c in seen.get_columns(name)
            }
            uniques = {tuple(u["column_names"]) for u in seen.get_unique_constraints(name)}
            indexes = {(i["name"], tuple(i["column_names"])) for i in seen.get_indexes(name)}
            foreign = [
                (f["constrained_columns"], f["referred_table"]) for f in seen.get_foreign_keys(name)
            ]
            key = seen.get_pk_constraint(name)["constrained_columns"]
            return columns, uniques, indexes, foreign, key

        return {name: table(name) for name in seen.get_table_names()}


def fill(conn: Connection) -> None:
    """Put an incident with all that belongs to it into a database of the first version."""
    target = '{"account": "111122223333", "region": "eu-west-1", "id": "i-1", "kind": "instance"}'
    for statement in (
        "INSERT INTO incidents (id, play, title, severity, target, opened, requester, hindrances,"
        " status, says, entry, alert, holder) VALUES ('INC-0001', 'p', 't', 'P1', :target, :at,"
        " 'alice', '[\"a\"]', 'waiting', 's', 3, '{\"b\": [1]}', 'h:1:2:3')",
        "INSERT INTO alerts VALUES ('key', 'INC-0001', 7, :at)",
        "INSERT INTO steps (incident, step, action, fields, plan, phase, mark, result, error,"
        " intended) VALUES ('INC-0001', 'act/x', 'act', '{}', :plan, 'done', 'm', 'null', '', :at)",
        "INSERT INTO kept (incident, step, value) VALUES ('INC-0001', 'k', '{\"b\": 1, \"a\": 2}')",
        "INSERT INTO questions (id, incident, step, scopes, about, requester, asked, expires,"
        " state, approver, reason, proof) VALUES ('Q-0001', 'INC-0001', 's', '[]', '{}', 'alice',"
        " :at, :at, 'open', '', '', '')",
    ):
        plan = '{"before": [["b", 1]], "wanted": [["b", 2]], "unseen": {}, "blast": [], "lost": []}'
        given = {"target": target, "at": AT.isoformat(), "plan": plan}
        names = [n for n in given if f":{n}" in statement]
        conn.execute(text(statement), {n: given[n] for n in names})
    for number in range(3):
        entry = ledger.Entry("case.note", "INC-0001", {"n": number}, "a", AT)
        ledger.append(conn, entry, record_time=AT, salt=bytes([number]) * 32)
    ledger.integrate(conn, signer_of(ORIGIN, chamber_key()), now=AT)


def rows(engine: Engine) -> Any:
    """Return every value of the tables that the first version had."""
    with sqlite3.connect(":memory:") as old:
        old.executescript(OLD.read_text())
        tables = [r[0] for r in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {
            t: [c[1] for c in old.execute(f"PRAGMA table_info({t})")]
            for t in tables
            if not t.startswith("sqlite_")
        }
    old.close()
    with engine.connect() as conn:
        return {
            table: sorted(
                str(tuple(row))
                for row in conn.execute(
                    sa.select(*map(sa.column, names)).select_from(sa.table(table))
                )
            )
            for table, names in columns.items()
        }


def test_the_steps_lead_to_what_a_new_database_has(empty: Engine, tmp_path: Path) -> None:
    upgrade(empty, "head")
    migrated = described(empty)
    with empty.begin() as conn:
        for name in reversed(list(migrated)):
            cascade = " CASCADE" if conn.dialect.name == "postgresql" else ""
            conn.execute(text(f"DROP TABLE {name}{cascade}"))
    migrating.create(empty)
    assert migrated == described(empty)
    assert {"ledger_entries", "incidents", "work"} <= migrated.keys()


def test_the_first_step_is_what_the_first_version_made(old_file: Engine, tmp_path: Path) -> None:
    again = ledger.sqlite_engine(tmp_path / "again.db")
    upgrade(again, "0001")
    made = described(again)
    made.pop("alembic_version")
    assert made == described(old_file)
    again.dispose()


def test_the_newest_step_is_the_one_that_is_checked_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(STEPS))
    known = [s.revision for s in ScriptDirectory.from_config(config).walk_revisions()]
    assert known == [migrating.HEAD, *reversed(migrating.OLDER)]


def check_survived(engine: Engine, before: Any) -> None:
    assert rows(engine) == before
    migrating.check(engine)
    db = Store(engine)
    (incident,) = db.read(store.incidents)
    assert (incident.id, incident.hindrances, incident.alert) == ("INC-0001", ("a",), {"b": [1]})
    assert db.read(lambda c: store.open_on(c, "111122223333/eu-west-1/i-1", "p")) == [incident]
    db.read(ledger.replay)
    # And it goes on: new rows beside the old ones.
    second = db.commit(lambda conn: store.add_incident(conn, incident))
    assert second.id == "INC-0002"
    db.commit(lambda conn: store.keep(conn, "INC-0002", "k", 1))
    lease = db.commit(lambda conn: store.take(conn, "INC-0001", "me", lambda _: False, AT))
    assert isinstance(lease, store.Lease)


def test_all_that_was_there_survives(empty: Engine) -> None:
    upgrade(empty, "0001")
    with empty.begin() as conn:
        fill(conn)
    before = rows(empty)
    assert migrating.migrate(empty) == "0001"
    check_survived(empty, before)


def test_a_file_from_before_versions_were_recorded_is_known(old_file: Engine) -> None:
    with old_file.begin() as conn:
        fill(conn)
    before = rows(old_file)
    assert migrating.migrate(old_file) == "0001"
    check_survived(old_file, before)


def test_an_older_database_is_refused_and_left_alone(empty: Engine) -> None:
    upgrade(empty, "0001")
    before = described(empty)
    with pytest.raises(DatabaseError, match="stanch migrate"):
        migrating.check(empty)
    with pytest.raises(DatabaseError, match="already"):
        migrating.create(empty)
    assert described(empty) == before


def test_a_newer_database_is_refused_and_left_alone(empty: Engine) -> None:
    migrating.create(empty)
    with empty.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (migrating.check, migrating.migrate):
        with pytest.raises(DatabaseError, match="newer"):
            refused(empty)
    with empty.connect() as conn:
        assert conn.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


def test_an_empty_database_is_told_to_be_empty(empty: Engine) -> None:
    for refused in (migrating.check, migrating.migrate):
        with pytest.raises(DatabaseError, match="stanch init"):
            refused(empty)
    assert described(empty) == {}


def test_migrating_what_is_of_this_version_changes_nothing(empty: Engine) -> None:
    migrating.create(empty)
    before = described(empty)
    assert migrating.migrate(empty) == migrating.HEAD
    assert described(empty) == before


def test_a_step_that_breaks_off_leaves_the_old_database_whole(empty: Engine) -> None:
    upgrade(empty, "0001")
    with empty.begin() as conn:
        fill(conn)
        # In the way of the last thing that the step makes.
        conn.execute(text("CREATE TABLE freezes (n integer)"))
    before, held = described(empty), rows(empty)
    with pytest.raises(sa.exc.DBAPIError, match="freezes"):
        migrating.migrate(empty)
    assert (described(empty), rows(empty)) == (before, held)


def test_two_that_migrate_at_once_do_it_once(empty: Engine) -> None:
    upgrade(empty, "0001")
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: migrating.migrate(empty), range(2)))
    assert sorted(found) == ["0001", migrating.HEAD]
