"""Several processes on one PostgreSQL: each commits for itself, and none decides on old news."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError

from evidence import ledger
from playbooks.case import schema, store
from playbooks.case.incident import Incident, Question
from playbooks.case.severity import Severity
from playbooks.case.store import Store
from tests.postgres import server

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
PATIENCE = 60


@pytest.fixture
def processes(postgres_url: str) -> Iterator[list[Store]]:
    """Eight stores with connections of their own, as so many processes have."""
    made = [Store(ledger.postgres_engine(postgres_url, connections=4)) for _ in range(8)]
    with made[0].engine.begin() as conn:
        ledger.create_schema(conn)
        schema.metadata.create_all(conn)
    yield made
    for one in made:
        one.engine.dispose()


def at_once(processes: list[Store], work: Callable[[Connection], Any]) -> list[Any]:
    """Commit the same work in all processes at the same moment; return what each got."""
    start = Barrier(len(processes))

    def run(db: Store) -> Any:
        db.read(lambda conn: conn.scalar(text("SELECT 1")))
        start.wait(PATIENCE)
        return db.commit(work)

    with ThreadPoolExecutor(len(processes)) as pool:
        return list(pool.map(run, processes))


def opened(conn: Connection) -> str:
    incident = Incident(
        id="",
        play="p",
        title="t",
        severity=Severity.P2,
        target={"id": "i-1"},
        opened=AT,
        requester="alice",
    )
    return store.add_incident(conn, incident).id


def asked(conn: Connection) -> str:
    question = Question(
        id="",
        incident="INC-0001",
        step="s",
        scopes=(),
        about={},
        requester="alice",
        asked=AT,
        expires=AT,
    )
    return store.add_question(conn, question).id


@pytest.mark.parametrize(("add", "prefix"), [(opened, "INC"), (asked, "Q")])
def test_ids_have_no_gap_and_no_double(processes: list[Store], add: Any, prefix: str) -> None:
    ids = at_once(processes, add) + at_once(processes, add)
    assert sorted(ids) == [f"{prefix}-{n:04d}" for n in range(1, 17)]


def test_each_entry_gets_a_number_of_its_own(processes: list[Store]) -> None:
    id = processes[0].commit(opened)
    numbers = at_once(processes, lambda conn: store.count_entry(conn, id))
    assert sorted(numbers) == list(range(1, 9))


def test_severity_is_raised_once(processes: list[Store]) -> None:
    id = processes[0].commit(opened)
    raised = at_once(processes, lambda conn: store.raise_severity(conn, id, Severity.P0))
    assert sorted(raised) == [False] * 7 + [True]
    assert not processes[0].commit(lambda conn: store.raise_severity(conn, id, Severity.P1))


def test_a_freeze_stands_once(processes: list[Store]) -> None:
    freeze = store.Freeze("*", "alice", "why", AT)
    set_ = at_once(processes, lambda conn: store.add_freeze(conn, freeze))
    assert sorted(set_) == [False] * 7 + [True]


def test_one_takes_the_lease(processes: list[Store]) -> None:
    id = processes[0].commit(opened)
    names = iter("abcdefgh")

    def take(conn: Connection) -> Any:
        return store.take(conn, id, next(names), lambda _: True, AT)

    got = at_once(processes, take)
    assert len([lease for lease in got if isinstance(lease, store.Lease)]) == 1


def test_a_lock_makes_the_next_see_what_was_decided(processes: list[Store]) -> None:
    def first_only(conn: Connection) -> bool:
        store.lock(conn, "decision")
        table = schema.seen
        if conn.scalar(select(table.c.digest)):
            return False
        conn.execute(insert(table).values(digest="d", at=""))
        return True

    assert sorted(at_once(processes, first_only)) == [False] * 7 + [True]


def test_work_noted_after_an_entry_began_is_not_settled_by_it(processes: list[Store]) -> None:
    one, two = processes[:2]
    id = one.commit(opened)
    with one.engine.connect() as slow:
        with slow.begin(), ThreadPoolExecutor(1) as pool:
            store.add_work(slow, id, "alert", AT)
            other = pool.submit(two.commit, lambda conn: store.add_work(conn, id, "answer", AT))
            wait_for_lock(two)
            seen = two.read(lambda conn: store.last_work(conn, id, AT))
            slow.commit()
            other.result(PATIENCE)
    two.commit(lambda conn: store.work_done(conn, id, seen, AT))
    due = two.read(lambda conn: [w.why for w in store.due_work(conn, AT)])
    assert (seen, due) == (0, ["alert", "answer"])


def test_a_timer_is_set_once(processes: list[Store]) -> None:
    id = processes[0].commit(opened)
    at_once(processes, lambda conn: store.add_timer(conn, id, AT))
    assert [w.due for w in processes[0].read(lambda conn: store.open_work(conn, id))] == [AT]


def wait_for_lock(db: Store) -> None:
    """Return once a statement in this database waits for a lock."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(100_000):
        if db.read(lambda conn: conn.scalar(query)):
            return
    raise AssertionError("nothing waited for a lock")


def test_a_work_that_lost_a_deadlock_is_run_again(processes: list[Store]) -> None:
    first, second = (processes[0].commit(opened) for _ in range(2))
    both = Barrier(2)
    runs: list[str] = []

    def crosswise(one: str, other: str) -> Callable[[Connection], None]:
        def work(conn: Connection) -> None:
            store.count_entry(conn, one)
            runs.append(one)
            if runs.count(one) == 1:
                both.wait(PATIENCE)
            store.count_entry(conn, other)

        return work

    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda db, pair: db.commit(crosswise(*pair)),
                processes[:2],
                [(first, second), (second, first)],
            )
        )
    assert len(runs) >= 3
    entries = processes[0].read(lambda conn: [i.entry for i in store.incidents(conn)])
    assert entries == [2, 2]


def test_a_work_that_never_gets_through_fails_after_some_tries(processes: list[Store]) -> None:
    runs = []

    def hopeless(conn: Connection) -> None:
        runs.append(1)
        conn.execute(
            text("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'serialization_failure'; END $$")
        )

    with pytest.raises(DBAPIError, match="no"):
        processes[0].commit(hopeless)
    assert len(runs) == 5


def test_a_work_that_fails_by_itself_is_not_run_again(processes: list[Store]) -> None:
    runs = []

    def wrong(conn: Connection) -> None:
        runs.append(1)
        conn.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError, match="division"):
        processes[0].commit(wrong)
    assert runs == [1]


LOSE_IT = text("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_work_that_lost_the_server_before_its_commit_is_run_again(
    processes: list[Store],
) -> None:
    runs: list[int] = []

    def cut_off(conn: Connection) -> str:
        runs.append(1)
        id = opened(conn)
        if len(runs) == 1:
            conn.execute(LOSE_IT)
        return id

    assert processes[0].commit(cut_off) == "INC-0001"
    assert len(runs) == 2
    assert len(processes[0].read(store.incidents)) == 1


def test_a_read_that_lost_the_server_is_run_again(processes: list[Store]) -> None:
    runs: list[int] = []

    def cut_off(conn: Connection) -> str:
        runs.append(1)
        if len(runs) == 1:
            conn.execute(LOSE_IT)
        return "read"

    assert processes[0].read(cut_off) == "read"
    assert len(runs) == 2


def test_a_work_whose_commit_has_no_answer_is_not_run_again(processes: list[Store]) -> None:
    runs: list[int] = []
    # A deferred trigger runs in the COMMIT itself.
    for statement in (
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON seen"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose()",
    ):
        processes[0].commit(lambda conn, statement=statement: conn.execute(text(statement)))

    def unanswered(conn: Connection) -> None:
        runs.append(1)
        conn.execute(insert(schema.seen).values(digest="d", at=""))

    with pytest.raises(DBAPIError) as told:
        processes[0].commit(unanswered)
    assert told.value.connection_invalidated
    assert runs == [1]
    assert processes[0].read(store.incidents) == []


def test_a_server_that_came_back_is_worked_with_again(postgres_server: object) -> None:
    with server() as postgres:
        engine = ledger.postgres_engine(postgres.url())
        with engine.begin() as conn:
            schema.metadata.create_all(conn)
        db = Store(engine)
        db.commit(opened)
        postgres.stop("kill")
        with pytest.raises(DBAPIError):
            db.commit(opened)
        with pytest.raises(DBAPIError):
            db.read(store.incidents)
        postgres.start()
        assert db.commit(opened) == "INC-0002"
        assert len(db.read(store.incidents)) == 2
        engine.dispose()


def test_the_databases_clock_counts_and_no_hosts(processes: list[Store]) -> None:
    wrong = AT - timedelta(days=365)
    told = processes[0].read(lambda conn: store.clock(conn, lambda: wrong))
    assert abs(told - datetime.now(UTC)) < timedelta(seconds=PATIENCE)
    assert told.tzinfo is UTC
