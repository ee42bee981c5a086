"""Many processes on one PostgreSQL: one chain a case, one integrator, and no commit passed over."""

import os
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from evidence import ledger, ledger_postgres
from evidence.errors import LedgerError
from tests.evidence.chamber import make_chamber

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]

# Appends under two cases that all processes share, and one of its own.
APPEND = """
import os, sys
from datetime import UTC, datetime
from evidence import ledger, ledger_postgres
engine = ledger.postgres_engine(os.environ["LEDGER"])
name, count = sys.argv[1], int(sys.argv[2])
for number in range(count):
    case = ["INC-1", "INC-2", f"INC-{name}"][number % 3]
    now = datetime.now(UTC)
    entry = ledger.Entry("change", case, {"by": name, "n": number}, "a", now)
    with engine.begin() as conn:
        ledger.append(conn, entry, record_time=now, salt=os.urandom(32))
engine.dispose()
"""


@pytest.fixture
def chamber(tmp_path, postgres_url):
    made = make_chamber(tmp_path, postgres_url)
    yield made
    made.engine.dispose()


def settings(conn, *names):
    return [conn.scalar(text(f"SHOW {name}")) for name in names]


def add(conn, case, salt=None):
    entry = ledger.Entry("change", case, {}, "a", NOW)
    return ledger.append(conn, entry, record_time=NOW, salt=salt or os.urandom(32))


def size(chamber):
    with chamber.begin() as conn:
        return ledger.latest_checkpoint(conn).checkpoint.size


def test_processes_that_append_at_once_make_one_tree_under_two_integrators(chamber, postgres_url):
    processes, each = 4, 60
    env = os.environ | {"LEDGER": postgres_url}
    children = [
        subprocess.Popen([sys.executable, "-c", APPEND, str(n), str(each)], cwd=ROOT, env=env)
        for n in range(processes)
    ]
    ended = threading.Event()
    heads = []

    def integrate():
        # Until nothing waits after the last append.
        while True:
            last = ended.is_set()
            with chamber.begin() as conn:
                made = ledger.integrate(conn, chamber.log, now=chamber.now)
            if made:
                heads.append(made.size)
            elif last:
                return

    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(integrate) for _ in range(2)]
        try:
            codes = [child.wait(120) for child in children]
        finally:
            ended.set()
        for one in working:
            one.result(60)
    assert codes == [0] * processes
    chamber.integrate()
    assert len(heads) == len(set(heads)) > 1
    with chamber.begin() as conn:
        ledger.replay(conn)
        indices = conn.execute(text("SELECT idx FROM ledger_entries ORDER BY idx")).scalars().all()
        cases = {
            c: list(ledger.entries(conn, c))
            for c in ["INC-1", "INC-2", *map("INC-{}".format, range(processes))]
        }
    assert indices == list(range(processes * each))
    for found in cases.values():
        assert [e.leaf.case_seq for e in found] == list(range(len(found)))
        assert [e.leaf.prev for e in found[1:]] == [e.leaf_hash.hex() for e in found[:-1]]
    bodies = Counter(tuple(e.body.values()) for found in cases.values() for e in found)
    assert bodies == Counter((str(p), n) for p in range(processes) for n in range(each))


def test_a_late_commit_of_an_earlier_row_is_not_skipped(chamber):
    with chamber.engine.connect() as slow:
        with slow.begin():
            early = add(slow, "INC-1")
            with chamber.begin() as conn:
                late = add(conn, "INC-2")
            assert early.id < late.id
            chamber.integrate()
            assert size(chamber) == 1
    chamber.integrate()
    with chamber.begin() as conn:
        order = conn.execute(text("SELECT id FROM ledger_entries ORDER BY idx")).scalars().all()
        ledger.replay(conn)
    assert order == [late.id, early.id]


def test_only_one_integrates_and_who_waits_sees_what_came_meanwhile(chamber):
    chamber.say("change", {})
    with chamber.engine.connect() as first, ThreadPoolExecutor(1) as pool:
        with first.begin():
            assert ledger.integrate(first, chamber.log, now=chamber.now).size == 1
            chamber.say("change", {})
            assert chamber.integrate() is None

            def wait():
                with chamber.begin() as conn:
                    return ledger.integrate(conn, chamber.log, now=chamber.now, wait=True)

            waiting = pool.submit(wait)
            blocked(chamber)
            assert not waiting.done()
        assert waiting.result(30).size == 2


def blocked(chamber):
    """Return once a statement in this database waits for a lock."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(100_000):
        with chamber.engine.connect() as conn:
            if conn.scalar(query):
                return
    raise AssertionError("nothing waited for a lock")


@pytest.mark.parametrize("first_commits", [True, False], ids=["committed", "rolled back"])
def test_two_first_entries_of_a_case_make_one_case(chamber, first_commits):
    with chamber.engine.connect() as first, ThreadPoolExecutor(1) as pool:
        transaction = first.begin()
        add(first, "INC-1")

        def second():
            with chamber.begin() as conn:
                conn.execute(text("CREATE TABLE mine (n integer)"))
                return add(conn, "INC-1").case_seq

        waiting = pool.submit(second)
        blocked(chamber)
        transaction.commit() if first_commits else transaction.rollback()
        assert waiting.result(30) == int(first_commits)
    with chamber.begin() as conn:
        # What else the second did in its transaction is there too.
        assert conn.scalar(text("SELECT count(*) FROM mine")) == 0
        found = list(ledger.entries(conn, "INC-1"))
    assert [e.leaf.case_seq for e in found] == list(range(1 + first_commits))
    assert len({e.leaf.case for e in found}) == 1


def test_an_append_that_waited_for_another_is_chained_to_it(chamber):
    chamber.say("change", {})
    with chamber.engine.connect() as first, ThreadPoolExecutor(1) as pool:
        with first.begin():
            before = add(first, "INC-1")

            def second():
                with chamber.begin() as conn:
                    return add(conn, "INC-1")

            waiting = pool.submit(second)
            blocked(chamber)
        after = waiting.result(30)
    with chamber.begin() as conn:
        last = list(ledger.entries(conn, "INC-1"))[-1]
    assert (after.case_seq, last.leaf.prev) == (2, before.leaf_hash.hex())


def test_two_cases_never_share_a_pseudonym(chamber):
    with chamber.begin() as conn:
        add(conn, "INC-1", bytes(32))
    with pytest.raises(DBAPIError, match="pseudonym"), chamber.begin() as conn:
        add(conn, "INC-2", bytes(32))


@pytest.mark.parametrize("read_only", [True, False])
def test_replay_reads_one_state_while_others_append_and_integrate(chamber, read_only):
    for number in range(40):
        chamber.say("change", {"n": number})
    chamber.integrate()
    stop = threading.Event()

    def grow():
        while not stop.is_set():
            chamber.say("change", {})
            chamber.integrate()

    with ThreadPoolExecutor(1) as pool:
        growing = pool.submit(grow)
        try:
            reader = chamber.engine.execution_options(read_only=read_only)
            for _ in range(15):
                with reader.begin() as conn:
                    ledger.replay(conn)
        finally:
            stop.set()
        growing.result(30)
    assert size(chamber) > 40


def test_every_connection_of_the_engine_is_set_up(chamber):
    names = ("synchronous_commit", "timezone", "transaction_isolation", "statement_timeout")
    held = [chamber.engine.connect() for _ in range(16)]
    try:
        told = [settings(conn, *names, "lock_timeout") for conn in held]
        assert told == [["on", "UTC", "read committed", "1min", "10s"]] * 16
    finally:
        for conn in held:
            conn.close()


def test_a_roles_weaker_defaults_do_not_weaken_a_commit(chamber, postgres_url):
    with chamber.begin() as conn:
        name = conn.scalar(text("SELECT current_database()"))
        for weak in (
            "synchronous_commit = off",
            "timezone = 'Asia/Kolkata'",
            "default_transaction_isolation = 'repeatable read'",
        ):
            conn.execute(text(f"ALTER DATABASE {name} SET {weak}"))
    engine = ledger.postgres_engine(postgres_url)
    with engine.connect() as conn:
        told = settings(conn, "synchronous_commit", "timezone", "transaction_isolation")
    assert told == ["on", "UTC", "read committed"]
    with chamber.begin() as conn:
        conn.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = remote_apply"))
    engine.dispose()
    with engine.connect() as conn:
        assert settings(conn, "synchronous_commit") == ["remote_apply"]
    engine.dispose()


def test_a_connection_that_rested_is_tried_before_use(chamber, monkeypatch):
    monkeypatch.setattr(ledger_postgres, "REST", 0.0)
    chamber.say("change", {})
    with psycopg.connect(chamber.engine.url.render_as_string(False).replace("+psycopg", "")) as it:
        others = "FROM pg_stat_activity WHERE datname = current_database()"
        it.execute(f"SELECT pg_terminate_backend(pid) {others} AND pid <> pg_backend_pid()")
    assert chamber.say("change", {}).case_seq == 1


def test_a_reader_sees_one_state_and_writes_nothing(chamber):
    with chamber.engine.execution_options(read_only=True).connect() as conn:
        assert list(ledger.entries(conn, "INC-1")) == []
        chamber.say("change", {})
        assert list(ledger.entries(conn, "INC-1")) == []
        with pytest.raises(DBAPIError, match="read-only"):
            add(conn, "INC-1")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@db.example/x?sslmode=disable",
        "postgresql://u:hunter2@db.example/x?sslmode=allow",
        "postgresql://u:hunter2@db.example/x?sslmode=prefer",
        "postgresql://u:hunter2@db.example/x?sslmode=require",
        "postgresql://u:hunter2@127.0.0.1,db.example/x?sslmode=disable",
        "postgresql://u:hunter2@localhost/x?hostaddr=192.0.2.1&sslmode=disable",
        "postgresql://u:hunter2@/x?host=localhost:1&host=db.example:1&sslmode=disable",
        "postgresql://u:hunter2@/x?sslmode=disable",
        "postgresql://u:hunter2@localhost.example/x?sslmode=prefer",
        "postgresql://u:hunter2@localhost/x?service=other",
        "mysql://u:hunter2@localhost/x",
        "sqlite:///x",
        "postgresql://u:hunter2@localhost",
        "postgresql://u:hunter2@localhost:port/x",
        "hunter2",
    ],
)
def test_no_connection_that_would_trust_any_server(url):
    with pytest.raises(LedgerError) as told:
        ledger.postgres_engine(url)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u:p@db.example/x", "verify-full"),
        ("postgresql://u:p@db.example/x?sslmode=verify-ca", "verify-ca"),
        ("postgresql:///x", "verify-full"),
        ("postgresql://u:p@127.0.0.1:5433/x", None),
        ("postgresql://u:p@[::1]/x", None),
        ("postgresql://u:p@/x?host=/run/postgresql", None),
        ("postgresql+psycopg://u:p@/x?host=localhost:5432", None),
    ],
)
def test_the_server_proves_who_it_is_unless_it_is_here(url, mode):
    engine = ledger.postgres_engine(url)
    assert engine.url.query.get("sslmode") == mode
    assert engine.url.drivername == "postgresql+psycopg"
