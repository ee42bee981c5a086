"""Commit: durable once for each unit, whole or not at all, and never without its ledger entry."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event, text

from actions.journal import Plan
from evidence import ledger
from playbooks.case import schema, store
from playbooks.case.incident import Incident
from playbooks.case.journal import CaseJournal
from playbooks.case.record import Record
from playbooks.case.severity import Severity
from playbooks.case.store import Store
from playbooks.errors import UnknownIncidentError

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
SALT = iter(i.to_bytes(32, "big") for i in range(10**9))
RECORD = Record("stanch", lambda: AT, lambda n: next(SALT))
PLAN = Plan({"b": 1, "a": None}, {"b": 2, "a": {"x": [1]}}, {"c": "hidden"}, ("blast",), ("lost",))


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "postgresql":
        yield from made(ledger.postgres_engine(request.getfixturevalue("postgres_url")))
    else:
        yield from made(ledger.sqlite_engine(tmp_path / "stanch.db"))


@pytest.fixture
def file_db(tmp_path: Path) -> Iterator[Store]:
    yield from made(ledger.sqlite_engine(tmp_path / "stanch.db"))


def made(engine: Engine) -> Iterator[Store]:
    with engine.begin() as conn:
        ledger.create_schema(conn)
        schema.metadata.create_all(conn)
    yield Store(engine)
    engine.dispose()


def opened(db: Store, **values: Any) -> Incident:
    given: dict[str, Any] = {"id": "", "play": "p", "title": "t", "severity": Severity.P1}
    given |= {"target": {"id": "i-1"}, "opened": AT, "requester": "alice"}

    def work(conn: Connection) -> Incident:
        incident = store.add_incident(conn, Incident(**(given | values)))
        RECORD.note(conn, incident.id, "case.open", {})
        return incident

    return db.commit(work)


def noting(name: str) -> Callable[[Connection], str]:
    def work(conn: Connection) -> str:
        RECORD.note(conn, "INC-1", "test.unit", {"name": name})
        return name

    return work


def names(db: Store) -> list[str]:
    return [str(e.body["name"]) for e in db.read(lambda c: list(ledger.entries(c, "INC-1")))]


class BrokenError(Exception):
    """A unit that fails."""


def test_units_of_many_threads_are_each_durable_exactly_once(db: Store) -> None:
    units = [f"u{i}" for i in range(200)]
    commits = []
    event.listen(db.engine, "commit", lambda conn: commits.append(1))
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda u: db.commit(noting(u)), units)) == units
    assert sorted(names(db)) == sorted(units)
    assert len(commits) <= len(units)
    db.read(ledger.replay)


def test_a_unit_that_fails_in_a_shared_transaction_fails_alone(file_db: Store) -> None:
    db = file_db
    entered, go_on = threading.Event(), threading.Event()
    ran: list[str] = []

    def slow(conn: Connection) -> str:
        entered.set()
        go_on.wait(10)
        return noting("first")(conn)

    def broken(conn: Connection) -> str:
        ran.append("broken")
        noting("never")(conn)
        raise BrokenError

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(db.commit, slow)
        entered.wait(10)
        # All of these queue behind the first, and share what follows.
        good = [pool.submit(db.commit, noting(f"g{i}")) for i in range(5)]
        bad = pool.submit(db.commit, broken)
        while len(db._queue) < 6:
            pass
        go_on.set()
        assert first.result(10) == "first"
        assert [g.result(10) for g in good] == [f"g{i}" for i in range(5)]
        with pytest.raises(BrokenError):
            bad.result(10)
    assert len(ran) == 2
    assert sorted(names(db)) == ["first", *(f"g{i}" for i in range(5))]
    db.read(ledger.replay)


@settings(max_examples=20, deadline=None)
@given(fates=st.lists(st.booleans(), min_size=1, max_size=8))
def test_whatever_fails_no_other_unit_sees_or_loses_anything(fates: list[bool]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        engine = ledger.sqlite_engine(Path(folder) / "stanch.db")
        with engine.begin() as conn:
            ledger.create_schema(conn)
        db = Store(engine)

        def unit(name: str, good: bool) -> Callable[[Connection], int]:
            def work(conn: Connection) -> int:
                # Two rows, or none: nobody ever reads one of a unit.
                noting(name)(conn)
                if not good:
                    raise BrokenError
                noting(name)(conn)
                return len(list(ledger.entries(conn, "INC-1"))) % 2

            return work

        def run(i: int) -> int | None:
            try:
                return db.commit(unit(f"u{i}", fates[i]))
            except BrokenError:
                return None

        with ThreadPoolExecutor(4) as pool:
            seen = list(pool.map(run, range(len(fates))))
        assert seen == [0 if good else None for good in fates]
        wanted = sorted(f"u{i}" for i, good in enumerate(fates) if good for _ in "ab")
        assert sorted(names(db)) == wanted
        engine.dispose()


def test_each_commit_is_synced_to_the_disk(file_db: Store) -> None:
    db = file_db

    def modes(conn: Connection) -> tuple[Any, Any]:
        return (
            conn.scalar(text("PRAGMA synchronous")),
            conn.scalar(text("PRAGMA journal_mode")),
        )

    assert db.commit(modes) == (2, "wal")
    assert db.read(modes) == (2, "wal")


JOURNAL = {
    "intend": lambda j: j.intend("act/x", "act", {}, PLAN),
    "done": lambda j: j.done("act/x", {"a": 1}, "verified"),
    "undoing": lambda j: j.undoing("act/x"),
    "undone": lambda j: j.undone("act/x", {"a": 0}),
    "failed": lambda j: j.failed("act/x", "why"),
}


def rows(db: Store) -> Any:
    return db.read(lambda conn: [tuple(r) for r in conn.execute(schema.steps.select())])


@pytest.mark.parametrize("name", JOURNAL)
def test_a_change_whose_entry_cannot_be_written_is_not_made(name: str, db: Store) -> None:
    incident = opened(db)
    good = CaseJournal(db, RECORD, incident.id)
    if name != "intend":
        JOURNAL["intend"](good)
    before = rows(db)

    def no_salt(count: int) -> bytes:
        raise BrokenError

    torn = CaseJournal(db, Record("stanch", lambda: AT, no_salt), incident.id)
    with pytest.raises(BrokenError):
        JOURNAL[name](torn)
    assert rows(db) == before


@pytest.mark.parametrize("name", list(JOURNAL)[1:])
def test_an_entry_whose_change_cannot_be_made_is_not_written(name: str, db: Store) -> None:
    incident = opened(db)
    with pytest.raises(UnknownIncidentError):
        JOURNAL[name](CaseJournal(db, RECORD, incident.id))
    entries = db.read(lambda conn: list(ledger.entries(conn, incident.id)))
    assert [e.leaf.kind for e in entries] == ["case.open"]


def test_each_change_has_one_entry(db: Store) -> None:
    incident = opened(db)
    journal = CaseJournal(db, RECORD, incident.id)
    for change in JOURNAL.values():
        change(journal)
    kinds = [e.leaf.kind for e in db.read(lambda c: list(ledger.entries(c, incident.id)))]
    assert kinds == [
        "case.open",
        "action.intent",
        "action.done",
        "action.undoing",
        "action.undone",
        "action.failed",
    ]


def test_what_is_intended_comes_back_as_it_was_in_its_order(db: Store) -> None:
    incident = opened(db)
    journal = CaseJournal(db, RECORD, incident.id)
    intent = journal.intend("act/x", "act", {"n": 1}, PLAN)
    found = journal.find("act/x")
    assert found == intent
    assert found is not None
    assert list(found.plan.wanted) == ["b", "a"]
    assert journal.find("act/y") is None


def test_a_step_is_intended_once(db: Store) -> None:
    incident = opened(db)
    journal = CaseJournal(db, RECORD, incident.id)
    journal.intend("act/x", "act", {}, PLAN)
    with pytest.raises(Exception, match=r"(?i)unique"):
        journal.intend("act/x", "act", {}, PLAN)
    assert len(rows(db)) == 1


def test_incidents_are_numbered_and_come_back_whole(db: Store) -> None:
    made = [opened(db, hindrances=("a", "b"), alert={"k": [1]}) for _ in range(3)]
    assert [i.id for i in made] == ["INC-0001", "INC-0002", "INC-0003"]
    assert db.read(store.incidents) == made


@pytest.mark.parametrize(
    "change",
    [
        lambda c: store.incident(c, "INC-9"),
        lambda c: store.set_status(c, "INC-9", "open"),
        lambda c: store.count_entry(c, "INC-9"),
        lambda c: store.change_question(c, "Q-9", state="yes"),
        lambda c: store.change_step(c, "INC-9", "x", phase="done"),
    ],
)
def test_nothing_is_recorded_on_what_is_not_there(db: Store, change: Any) -> None:
    with pytest.raises(UnknownIncidentError):
        db.commit(change)


@given(first=st.integers(1, 9), then=st.integers(1, 9))
@settings(max_examples=10, deadline=None)
def test_a_findings_count_only_grows(first: int, then: int) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        engine = ledger.sqlite_engine(Path(folder) / "stanch.db")
        with engine.begin() as conn:
            schema.metadata.create_all(conn)
            deliveries = [store.Delivery("k", n, AT, "by hand", AT) for n in (first, then)]
            assert store.known_alert(conn, "k") is None
            store.add_alert(conn, "INC-0001", deliveries[0])
            known = store.known_alert(conn, "k")
            assert known == store.Known("INC-0001", first, AT)
            store.change_alert(conn, "INC-0001", known, deliveries[1])
            assert conn.scalar(text("SELECT count FROM alerts")) == max(first, then)
        engine.dispose()
