"""Opens the ledger's SQLite file so that an acknowledged entry survives a power cut."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

BUSY_TIMEOUT_MS = 30_000


def sqlite_engine(path: Path) -> Engine:
    """Return an engine on the SQLite file `path`, created 0600 when missing.

    Every connection has journal_mode WAL, synchronous FULL (the write-ahead log is synced at each
    commit), foreign keys on and a busy timeout of `BUSY_TIMEOUT_MS`. Transactions begin
    with BEGIN IMMEDIATE, so a writer waits at its start and never fails half-way; an engine or
    connection with `execution_options(read_only=True)` begins deferred and does not wait.
    """
    # SQLite gives the -wal and -shm files the mode of the database file.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    engine = create_engine(URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def in_dialect(conn: Connection, statement: str) -> str:
    """Return a statement with `?` for each value in the form that the connection's driver reads.

    The statement holds no other `?` and no `%`.
    """
    return statement if conn.dialect.paramstyle == "qmark" else statement.replace("?", "%s")


def run(
    conn: Connection, statement: str, values: Sequence[Any] | Mapping[str, Any]
) -> Sequence[Any]:
    """Run one statement with the driver itself, in the caller's transaction; return all rows.

    The statement is in the driver's own form. Each alert and each change of state waits for such
    statements, and SQLAlchemy would more than double the wait. Raises DBAPIError, which tells as
    SQLAlchemy does whether the connection was lost.
    """
    driver = conn.dialect.loaded_dbapi
    cursor = conn.connection.cursor()
    try:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
    except driver.Error as error:
        lost = conn.dialect.is_disconnect(error, conn.connection.dbapi_connection, cursor)
        if lost:
            conn.invalidate(error)
        raise DBAPIError.instance(
            statement, values, error, driver.Error, connection_invalidated=lost
        ) from error
    finally:
        cursor.close()


def _set_up(connection: Any, _record: object) -> None:
    # The driver's own transaction control would begin late and deferred (SQLAlchemy, "SQLite:
    # serializable isolation / savepoints / transactional DDL").
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(conn: Connection) -> None:
    read_only = conn.get_execution_options().get("read_only", False)
    conn.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
