"""Opens a PostgreSQL database for the ledger: durable commits, checked TLS, bounded waits."""

import ipaddress
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import OperationalError
from psycopg.abc import PQGen
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError

from evidence.errors import LedgerError

RV = TypeVar("RV")

DRIVER = "postgresql+psycopg"
VERIFIED = ("verify-full", "verify-ca")
# A connection is never weaker than this, whatever the server's or the role's own defaults are.
SETTINGS = {
    "timezone": "UTC",
    "default_transaction_isolation": "read committed",
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}
# Seconds after which a connection is tried before use: a round trip for each would cost more than
# it tells while there is much to do.
REST = 1.0
# Seconds of silence after which a server counts as gone though its host still acknowledges what is
# sent: its storage hangs, or it is paused. More than any wait for a lock; and for that first try.
SILENCE = 12.0
SILENCE_AT_FIRST = 3.0
# A server that is gone is noticed in seconds (libpq, "Parameter Key Words").
NOTICE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def postgres_engine(url: str, *, connections: int = 16) -> Engine:
    """Return an engine on the database that `url` (postgresql://...) names.

    Each commit is acknowledged after the server synced it (synchronous_commit, on or stricter).
    Times are UTC; a statement ends after 60 s, or where the server says nothing for `SILENCE`, a
    wait for a lock after 10 s. At most `connections` are open at once; one that rested for `REST`
    seconds is tried before use. Off loopback the
    server must prove by its certificate who it is: sslmode is verify-full, or verify-ca where the
    URL says so. With `execution_options(read_only=True)` all of a transaction's reads see one
    state.

    Raises:
        LedgerError: when the URL names no PostgreSQL database, or would trust any server.
    """
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        # The URL holds a password: nothing of it is repeated.
        raise LedgerError("the database's URL cannot be read; expected postgresql://...") from None
    if found.drivername not in ("postgresql", DRIVER) or not found.database:
        raise LedgerError("expected a database URL postgresql://USER:PASSWORD@HOST/DATABASE")
    kept = connections // 2
    engine = create_engine(
        _checked(found).set(drivername=DRIVER),
        connect_args=NOTICE,
        pool_size=kept,
        max_overflow=connections - kept,
        pool_timeout=10,
        pool_recycle=1800,
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "checkin", _rest)
    event.listen(engine, "checkout", _wake)
    event.listen(engine, "begin", _begin)
    return engine


def _checked(url: URL) -> URL:
    """Return the URL with an sslmode that checks the server's certificate, unless on loopback."""
    if "service" in url.query:
        raise LedgerError("the database's URL names a service; expected its host itself")
    hosts = [url.host] if url.host else []
    for key in ("host", "hostaddr"):
        given = url.query.get(key, ())
        hosts += [given] if isinstance(given, str) else given
    mode = url.query.get("sslmode")
    if hosts and all(_is_here(one) for host in hosts for one in host.split(",")):
        return url
    if mode is None:
        # Without a host libpq takes a local socket, or what PGHOST names; a socket ignores this.
        return url.update_query_dict({"sslmode": VERIFIED[0]})
    if mode not in VERIFIED:
        raise LedgerError(
            f"sslmode={mode} would trust whatever server answers off this machine; "
            "expected verify-full (with sslrootcert, the file of the authority it trusts)"
        )
    return url


def _is_here(host: str) -> bool:
    name, _, port = host.rpartition(":")
    host = name if port.isdecimal() and ":" not in name else host
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Heard(psycopg.Connection[Any]):
    """A connection that gives up a server from which nothing is heard, and is closed then."""

    silence = SILENCE

    def wait(self, gen: PQGen[RV], *args: Any, **more: Any) -> RV:
        return super().wait(self._heard(gen), *args, **more)

    def _heard(self, gen: PQGen[RV]) -> Generator[Any, Any, RV]:
        heard = time.monotonic()
        try:
            asked = next(gen)
            while True:
                ready = yield asked
                if ready:
                    heard = time.monotonic()
                elif time.monotonic() - heard > self.silence:
                    self.pgconn.finish()
                    raise OperationalError(f"the server said nothing for {self.silence:g} s")
                asked = gen.send(ready)
        except StopIteration as end:
            result: RV = end.value
            return result

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Bear less silence while the block runs."""
        self.silence = SILENCE_AT_FIRST
        try:
            yield
        finally:
            self.silence = SILENCE


def _connect(_dialect: object, _record: object, args: Any, more: Any) -> _Heard:
    return _Heard.connect(*args, **more)


def _set_up(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        for name, value in SETTINGS.items():
            cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
        # remote_apply waits for more than `on` does, and stays.
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') <> 'remote_apply'"
        )
    connection.commit()


def _rest(_connection: object, record: Any) -> None:
    record.info["rested"] = time.monotonic()


def _wake(connection: Any, record: Any, _proxy: object) -> None:
    """Try a connection that nobody used for a while; the pool replaces one that is lost."""
    if time.monotonic() - record.info.get("rested", time.monotonic()) < REST:
        return
    try:
        with connection.hurried():
            connection.execute("SELECT 1")
            connection.rollback()
    except OperationalError as error:
        # The others are no better; each would be tried for as long.
        raise InvalidatePoolError from error


def _begin(conn: Connection) -> None:
    if conn.get_execution_options().get("read_only", False):
        # As on SQLite: what is read together was true together.
        conn.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
