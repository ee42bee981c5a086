"""Keeps Prefect's server as a child of this process, unless PREFECT_API_URL names another.

Prefect's own ephemeral server outlives a SIGKILL of its parent and keeps its pipes open. This one
is told by the kernel to end with its parent (prctl(2), PR_SET_PDEATHSIG), and writes to a file.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1
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
    os.environ.update(environment(home))
    if url := os.environ.get("PREFECT_API_URL"):
        yield url
        return
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    child = _start(home, port)
    try:
        up = _answers(url, child, patience)
        if up:
            os.environ["PREFECT_API_URL"] = url
        yield url if up else None
    finally:
        os.environ.pop("PREFECT_API_URL", None)
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
    env = os.environ | {"PREFECT_API_DATABASE_CONNECTION_URL": database}
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


def _follow(parent: int) -> None:
    if _PRCTL is not None:
        _PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)  # The parent died before the kernel was told.


def _answers(url: str, child: "subprocess.Popen[bytes]", patience: float) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end and child.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:  # noqa: S310
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
