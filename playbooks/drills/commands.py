"""Runs `stanch` and the verifier as their users do: as processes of their own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from playbooks.errors import PlaybookError

READY = "ready "


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended: its exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return what it printed as JSON, or {} where it printed none."""
        try:
            return json.loads(self.out)
        except json.JSONDecodeError:
            return {}


class Started(Protocol):
    """A process that goes on: `poll` gives its exit status, or None while it lives."""

    def poll(self) -> int | None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    def wait(self, timeout: float) -> int: ...


class Runner(Protocol):
    """Runs playbooks.drills.launched with arguments; `environment` comes on top of this one's."""

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Ran: ...

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], out: Path, log: Path
    ) -> Started: ...


class Processes:
    """Each command is a Python process of its own, as for a user."""

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Ran:
        """Run to the end."""
        done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
            [sys.executable, "-m", "playbooks.drills.launched", *arguments],
            env=os.environ | dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], out: Path, log: Path
    ) -> Started:
        """Start, with standard output and standard error in files."""
        with out.open("wb") as said, log.open("ab") as logged:
            return subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [sys.executable, "-m", "playbooks.drills.launched", *arguments],
                env=os.environ | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=logged,
            )


@contextmanager
def serving(
    runner: Runner, arguments: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Iterator[tuple[str, Started]]:
    """Run `stanch serve` while the block runs; yield the URL it is ready at, and the process.

    Raises PlaybookError where it ends, or is not ready within a minute.
    """
    said, log = folder / "serve.out", folder / "serve.log"
    started = runner.start(arguments, environment, said, log)
    try:
        yield _url(started, said, log), started
    finally:
        started.terminate()
        try:
            started.wait(timeout=40)
        except TimeoutError:
            started.kill()
        except subprocess.TimeoutExpired:
            started.kill()


def _url(started: Started, said: Path, log: Path) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for line in said.read_text().splitlines():
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
        if started.poll() is not None:
            break
        time.sleep(0.05)
    raise PlaybookError(
        f"`stanch serve` did not get ready. Its last words: {log.read_text()[-1000:]!r}. "
        "Start it by hand with the drill's settings (`stanch drill --keep`) to see more."
    )
