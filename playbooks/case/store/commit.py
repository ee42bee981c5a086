"""Transactions: a state change and its ledger entry go through `commit` together, or not at all."""

import hashlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from evidence.ledger_engine import run

T = TypeVar("T")

# When so many share a commit, those who come later wait for the next.
MOST = 64
# What PostgreSQL undid because of another transaction: serialization_failure, deadlock_detected
# (its documentation, "Serialization Failure Handling"). Seconds before each further try.
UNDONE = ("40001", "40P01")
PAUSES = (0.0, 0.02, 0.1, 0.5)
_LOCK = "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key"


class Store:
    """The database. Values are given and returned whole; times are aware UTC."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._queue: list[_Unit] = []
        self._queued = threading.Lock()
        self._led = False

    def commit(self, work: Callable[[Connection], T]) -> T:
        """Run the work in a transaction; when this returns, it is durable.

        The work may run more than once, and only its last run counts: it does nothing but read and
        write on the connection that it is given.

        On SQLite callers at the same time share one transaction and one fsync: one leads and takes
        all that wait, also those who come while it works, then hands the lead to the first that
        came later, and wakes no other.
        Where a shared transaction fails, each work is run again by itself. On PostgreSQL, whose
        server joins the fsyncs, each caller commits for itself.
        """
        if self.engine.dialect.name != "sqlite":
            return self._commit_alone(work)
        unit = _Unit(work)
        with self._queued:
            self._queue.append(unit)
            leads, self._led = not self._led, True
        if not leads:
            unit.woken.acquire()
        if not unit.done:
            self._lead()
        if unit.error is not None:
            raise unit.error
        result: T = unit.result
        return result

    def _commit_alone(self, work: Callable[[Connection], T]) -> T:
        for pause in PAUSES:
            try:
                return self._try_alone(work)
            except _UndoneError:
                time.sleep(pause)
        try:
            return self._try_alone(work)
        except _UndoneError as error:
            raise error.cause from None

    def _try_alone(self, work: Callable[[Connection], T]) -> T:
        """Commit once; raise _UndoneError where nothing is left of it and another try may do."""
        with self.engine.connect() as conn, conn.begin() as transaction:
            try:
                result = work(conn)
            except DBAPIError as error:
                # Also where the server went away before it was asked to commit.
                if error.connection_invalidated or _undone(error):
                    raise _UndoneError(error) from error
                raise
            try:
                transaction.commit()
            except DBAPIError as error:
                # Lost now, it may have been committed or not: only who asked can find out.
                if _undone(error):
                    raise _UndoneError(error) from error
                raise
        return result

    def _lead(self) -> None:
        try:
            self._run(self._waiting(), joined=True)
        finally:
            with self._queued:
                self._led = bool(self._queue)
                if self._queue:
                    self._queue[0].woken.release()

    def _waiting(self) -> "list[_Unit]":
        with self._queued:
            found, self._queue = self._queue, []
        return found

    def _run(self, batch: "list[_Unit]", joined: bool = False) -> None:
        """Commit a batch together; where `joined`, with those who come while it is worked on."""
        try:
            with self.engine.begin() as conn:
                results = [unit.work(conn) for unit in batch]
                while joined and len(batch) < MOST and (late := self._waiting()):
                    batch += late
                    results += [unit.work(conn) for unit in late]
        except BaseException as error:
            if len(batch) == 1:
                batch[0].end(None, error)
            else:
                for one in batch:
                    self._run([one])
            return
        for unit, result in zip(batch, results, strict=True):
            unit.end(result)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run work that only reads; once more where the server went away meanwhile."""
        try:
            return self._read(work)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._read(work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self.engine.connect().execution_options(read_only=True) as conn:
            return work(conn)


class _UndoneError(Exception):
    def __init__(self, cause: DBAPIError) -> None:
        self.cause = cause


def _undone(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", "") in UNDONE


class _Unit:
    """One caller's work in a commit. `woken` is released when it is done, or is to lead.

    A bare lock, for a Future and an Event cost more than what most callers write.
    """

    __slots__ = ("done", "error", "result", "woken", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.woken = threading.Lock()
        self.woken.acquire()

    def end(self, result: Any, error: BaseException | None = None) -> None:
        self.result, self.error, self.done = result, error, True
        self.woken.release()


def clock(conn: Connection, now: Callable[[], datetime]) -> datetime:
    """Return the time by which leases and timers are measured, aware UTC.

    It is the database's where several hosts share one, so that none of them need agree; `now`
    where the database is a file of this host.
    """
    if conn.dialect.name == "sqlite":
        return now()
    found: datetime = conn.execute(select(func.clock_timestamp())).scalar_one()
    return found.astimezone(UTC)


def lock(conn: Connection, *names: str) -> None:
    """Let nobody else past the same names until this transaction ends; for what is read to decide.

    What is read after it shows all that the others committed. SQLite has one writer at a time, so
    there is nothing to wait for.
    """
    if conn.dialect.name == "sqlite" or not names:
        return
    keys = {hashlib.sha256(name.encode()).digest()[:8] for name in names}
    # In one order, so that two who want the same do not each hold what the other waits for.
    run(conn, _LOCK, (sorted(int.from_bytes(key, signed=True) for key in keys),))
