"""A throw-away PostgreSQL server that the tests start themselves and that ends with their process.

    with server() as postgres:
        engine = create_engine(postgres.url(postgres.database()))
        postgres.stop("kill")
        postgres.start()

Needs only Debian's package `postgresql`; where no server is found, tests that ask for one skip.
"""

import ctypes
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

STOPS = {
    # PostgreSQL documentation, "Shutting Down the Server".
    "fast": signal.SIGINT,  # roll back, write all, end
    "immediate": signal.SIGQUIT,  # abandon everything; the next start recovers from the log
    "kill": signal.SIGKILL,
}
PATIENCE = 60.0
PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child of a process with threads must take no lock.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def programs() -> Path:
    """Return the folder of initdb and postgres. Raise FileNotFoundError when there is none."""
    places = [Path(p).resolve().parent for p in map(shutil.which, ("postgres", "initdb")) if p]
    if config := shutil.which("pg_config"):
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        places.append(Path(told.stdout.strip()))
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    newest = sorted(debian, key=lambda p: int(re.sub(r"\D", "", p.parent.name) or 0), reverse=True)
    for place in [*places, *newest]:
        if (place / "initdb").is_file() and (place / "postgres").is_file():
            return place
    raise FileNotFoundError("no PostgreSQL server on this machine; apt-get install postgresql")


class Server:
    """One server with a data folder of its own, on a free port of 127.0.0.1."""

    def __init__(self, folder: Path, durable: bool) -> None:
        self._folder = folder
        self._programs = programs()
        self._password = secrets.token_urlsafe(24)
        self._child: subprocess.Popen[bytes] | None = None
        self._made = 0
        # PostgreSQL refuses to run as root.
        self._as = _unprivileged() if os.geteuid() == 0 else {}
        if self._as:
            os.chown(folder, self._as["user"], self._as["group"])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._initialise(durable)

    @property
    def pid(self) -> int:
        assert self._child is not None, "the server is not running"
        return self._child.pid

    @property
    def folder(self) -> Path:
        return self._folder

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://stanch:{self._password}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """Make a fresh, empty database and return its name."""
        self._made += 1
        name = f"fresh_{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def drop(self, database: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.execute(f"DROP DATABASE {database} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run one statement, outside of any transaction."""
        with psycopg.connect(self._dsn(), autocommit=True) as conn:
            conn.execute(statement.encode())

    def start(self) -> None:
        """Start the server and wait until it answers; it recovers by itself what a kill left."""
        end = time.monotonic() + PATIENCE
        while True:
            self._child = self._spawn()
            if self._answers(end):
                return
            # After a kill, its orphans may hold the data folder until they notice.
            if time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL does not start:\n{self._log().read_text()}")

    def stop(self, how: str = "fast") -> None:
        """Stop the server: "fast", "immediate" (as a crash) or "kill" (SIGKILL)."""
        if self._child is not None:
            self._child.send_signal(STOPS[how])
            self._child.wait(PATIENCE)
            self._child = None

    def _initialise(self, durable: bool) -> None:
        secret = self._folder / "password"
        secret.write_text(self._password)
        secret.chmod(0o644)  # In a folder that only its owner enters.
        command = [self._programs / "initdb", "--no-sync", "--username=stanch", "--locale=C"]
        command += ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8"]
        if _major(self._programs) >= 15:
            # Text sorts as in many a production, not by its bytes: nothing may lean on that.
            command += ["--locale-provider=icu", "--icu-locale=en-US"]
        subprocess.run(
            [*command, "-D", self._folder / "data"],
            check=True,
            stdout=subprocess.DEVNULL,
            **self._around(),
        )
        secret.unlink()
        lines = [
            "listen_addresses = '127.0.0.1'",
            f"port = {self.port}",
            f"unix_socket_directories = '{self._folder}'",
            "max_connections = 200",
            # The pages that a killed server wrote outlive it without; only a power cut needs them.
            *([] if durable else ["fsync = off"]),
        ]
        with (self._folder / "data" / "postgresql.conf").open("a") as file:
            file.write("\n".join([*lines, ""]))

    def _spawn(self) -> "subprocess.Popen[bytes]":
        with self._log().open("ab") as log:
            return subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(_follow, os.getpid()),
                **self._around(),
            )

    def _answers(self, end: float) -> bool:
        assert self._child is not None
        while time.monotonic() < end and self._child.poll() is None:
            try:
                psycopg.connect(self._dsn(), connect_timeout=2).close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.05)
        return False

    def _around(self):
        return {"cwd": self._folder, "env": {"PATH": os.defpath, "LC_ALL": "C"}, **self._as}

    def _log(self) -> Path:
        return self._folder / "log"

    def _dsn(self) -> str:
        return self.url().replace("+psycopg", "")


def _major(programs: Path) -> int:
    told = subprocess.run([programs / "postgres", "-V"], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+)", told.stdout)
    assert found, told.stdout
    return int(found[1])


def _unprivileged():
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise FileNotFoundError("no user `postgres` or `nobody`, and PostgreSQL does not run as root")


def _follow(parent: int) -> None:
    if _PRCTL is not None:
        _PRCTL(PR_SET_PDEATHSIG, signal.SIGQUIT)
    if os.getppid() != parent:
        os._exit(1)  # The parent died before the kernel was told.


@contextmanager
def server(durable: bool = False) -> Iterator[Server]:
    """Yield a running server; `durable` syncs each commit to the disk, as a bench wants it.

    It ends with the thread that started it (prctl(2), PR_SET_PDEATHSIG): start it in the main one.
    Raises FileNotFoundError when there is no PostgreSQL.
    """
    folder = Path(tempfile.mkdtemp(prefix="stanch-postgres-", dir=_enterable()))
    try:
        made = Server(folder, durable)
        made.start()
        try:
            yield made
        finally:
            made.stop("immediate")
    finally:
        shutil.rmtree(folder)


def _enterable() -> str:
    """Return a temporary folder that the server's user may pass through."""
    for place in (tempfile.gettempdir(), "/var/tmp", "/tmp"):
        path = Path(place)
        if all(p.stat().st_mode & 0o001 for p in (path, *path.parents)) or os.geteuid():
            return place
    raise FileNotFoundError("no temporary folder that others than root may enter; set TMPDIR")


@contextmanager
def server_or_skip() -> Iterator[Server]:
    """Yield a server; where there is no PostgreSQL, skip the test and say how to get it."""
    try:
        programs()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    with server() as made:
        yield made


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    with server_or_skip() as made:
        yield made


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """A SQLAlchemy URL of a fresh, empty database."""
    name = postgres_server.database()
    yield postgres_server.url(name)
    postgres_server.drop(name)
