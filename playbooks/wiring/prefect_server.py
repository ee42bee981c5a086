"""Keeps Prefect's server as a child of this process, unless PREFECT_API_URL names another.

Prefect's own ephemeral server outlives a SIGKILL of its parent and keeps its pipes open. This one
is told by the kernel to end with its parent (prctl(2), PR_SET_PDEATHSIG), and writes to a file.
"""

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

log = logging.getLogger("stanch.prefect")

# Seconds until a server that died is started again: at first, and at most.
SOONEST, LATEST = 1.0, 60.0
PR_SET_PDEATHSIG = 1
# What the child gets of this process's environment: what it takes to run. Keys of senders, the
# database's URL and AWS credentials, which may all stand there, are none of its business.
GIVEN = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DO_NOT_TRACK")
GIVEN_PREFIXES = ("PREFECT_", "PYTHON")
# Loaded before any fork: a child of a process with threads must take no lock.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def environment(home: Path) -> dict[str, str]:
    """Return what Prefect must find in the environment before it is imported."""
    return {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        # A server that does not answer is given up; the play goes on without it.
        "PREFECT_API_REQUEST_TIMEOUT": "5",
        "PREFECT_CLIENT_MAX_RETRIES": "1",
    }


@contextmanager
def running(home: Path, patience: float) -> Iterator[str | None]:
    """Yield the API's URL once it answers, or None when it does not within `patience` seconds.

    Sets the environment for an import of Prefect that follows.
    """
    with beside(home) as server:
        up = server.named or server.answers(patience)
        if not up:
            os.environ.pop("PREFECT_API_URL", None)
        yield server.url if up else None


@contextmanager
def beside(home: Path) -> Iterator["Server"]:
    """Keep a server running beside the block, which waits for nothing.

    Sets the environment for an import of Prefect that follows: it finds the server's URL, whether
    the server answers yet or not. Where PREFECT_API_URL names another, that one is used.
    """
    os.environ.update(environment(home))
    if url := os.environ.get("PREFECT_API_URL"):
        yield Server(url, named=True)
        return
    port = _free_port()
    server = Server(f"http://127.0.0.1:{port}/api")
    os.environ["PREFECT_API_URL"] = server.url
    ending = threading.Event()
    # The kernel tells the child of the death of the thread that started it (prctl(2)), so this one
    # lives as long as the child is to.
    keeper = threading.Thread(target=server.keep, args=(home, port, ending), name="prefect-server")
    keeper.start()
    try:
        yield server
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        ending.set()
        keeper.join()


class Server:
    """Prefect's server: a child that is started again when it dies, or one that is `named`."""

    def __init__(self, url: str, *, named: bool = False) -> None:
        self.url = url
        self.named = named
        # The child's process id while there is one.
        self.pid: int | None = None

    def answers(self, patience: float) -> bool:
        """Return whether it answers within `patience` seconds."""
        end = time.monotonic() + patience
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:  # noqa: S310
                    if answer.status == 200:
                        return True
            except (urllib.error.URLError, OSError):
                pass
            if time.monotonic() + 0.1 >= end:
                return False
            time.sleep(0.1)

    def keep(self, home: Path, port: int, ending: threading.Event) -> None:
        """Run the child until `ending`; one that dies is started again, ever more slowly."""
        pause = SOONEST
        while not ending.is_set():
            began = time.monotonic()
            child = _start(home, port)
            self.pid = child.pid
            while child.poll() is None and not ending.wait(0.2):
                pass
            self.pid = None
            if ending.is_set():
                _end(child)
                return
            pause = SOONEST if time.monotonic() - began > LATEST else min(2 * pause, LATEST)
            log.warning("Prefect's server died (%s); again in %.0f s", child.returncode, pause)
            ending.wait(pause)


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _start(home: Path, port: int) -> "subprocess.Popen[bytes]":
    folder = home / "prefect"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    database = f"sqlite+aiosqlite:///{folder / 'prefect.db'}"
    env = _without_secrets() | {"PREFECT_API_DATABASE_CONNECTION_URL": database}
    env.pop("PREFECT_API_URL", None)
    with (folder / "server.log").open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            preexec_fn=partial(_follow, os.getpid()),
        )


def _without_secrets() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k in GIVEN or k.startswith(GIVEN_PREFIXES)}


def _follow(parent: int) -> None:
    if _PRCTL is not None:
        _PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)  # The parent died before the kernel was told.


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
