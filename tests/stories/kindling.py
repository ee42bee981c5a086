"""Starts Stanch's processes by forking one that has imported everything, so that many may die.

    with kindled(folder) as fire:
        child = fire.start(["--clock", ..., "stanch", "serve"], environment, out, log)

It is started anew and has one thread; Prefect, which reads its environment when it is imported,
finds the environment given here, and so does everything that is forked.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playbooks.wiring.prefect_server import environment
from tests.stories.zygote import Child, Forked, serve_orders

ROOT = Path(__file__).resolve().parents[2]


class Kindled(Forked):
    """A process that forks others; `Forked` that is not itself forked."""

    def __init__(self, folder: Path, **more: str) -> None:
        mine, its = socket.socketpair()
        foreign = ("PREFECT_", "STANCH_")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        self.environment |= environment(folder) | more
        with (folder / "kindling.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.stories.kindling", str(its.fileno())],
                cwd=ROOT,
                env=self.environment,
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        its.close()
        self.pid = self._process.pid
        self._line = mine.makefile("rw")
        mine.close()

    def begin(self, arguments: list[str], environment: dict[str, str], out: Path) -> Child:
        """Fork a process that runs `launched` with the arguments; `out` takes what it prints."""
        whole = self.environment | environment
        log = out.with_suffix(".log")
        told = self._ask(arguments=arguments, environment=whole, out=str(out), log=str(log))
        return Child(self, told["pid"])

    def end(self) -> None:
        self._line.close()
        self._process.wait(10)


@contextmanager
def kindled(folder: Path, **more: str) -> Iterator[Kindled]:
    """Yield a process that forks others while the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    fire = Kindled(folder, **more)
    try:
        yield fire
    finally:
        fire.end()


if __name__ == "__main__":
    import logging

    import playbooks.__main__
    import playbooks.compromised_instance
    import playbooks.desk.door
    import playbooks.desk.queues
    import playbooks.respond.service

    playbooks.__main__.built()
    # Prefect's, which it makes when it is imported: in a process of its own, after Stanch's.
    logging.getLogger().handlers.clear()
    serve_orders(socket.socket(fileno=int(sys.argv[1])))
