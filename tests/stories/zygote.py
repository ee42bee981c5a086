"""Runs the drill's commands as processes that are forked, not started anew: imports are paid once.

The process that forks has one thread only, and was itself forked before the range's threads began.
"""

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from playbooks.drills import launched
from playbooks.drills.commands import Ran


class Forked:
    """A Runner; make it before any thread is started, and `end` it."""

    def __init__(self) -> None:
        mine, its = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            mine.close()
            serve_orders(its)
            os._exit(0)
        its.close()
        self._line = mine.makefile("rw")
        self._folder = Path(mkdtemp(prefix="stanch-forked-"))
        self._count = 0

    def end(self) -> None:
        self._line.close()
        os.waitpid(self.pid, 0)

    def _ask(self, **order: Any) -> Any:
        self._line.write(json.dumps(order) + "\n")
        self._line.flush()
        return json.loads(self._line.readline())

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Ran:
        self._count += 1
        out, err = (self._folder / f"{self._count}.{kind}" for kind in ("out", "err"))
        child = self.start(arguments, environment, out, err)
        return Ran(child.wait(120), out.read_text(), err.read_text())

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], out: Path, log: Path
    ) -> "Child":
        whole = os.environ | dict(environment)
        out.write_text("")
        started = self._ask(
            arguments=list(arguments), environment=whole, out=str(out), log=str(log)
        )
        return Child(self, started["pid"])


class Child:
    """A process that the zygote forked."""

    def __init__(self, zygote: Forked, pid: int) -> None:
        self.pid = pid
        self._zygote = zygote
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None:
            self._status = self._zygote._ask(pid=self.pid)["status"]
        return self._status

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float) -> int:
        end = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > end:
                raise TimeoutError(f"process {self.pid} goes on after {timeout} s")
            time.sleep(0.02)
        return status


def serve_orders(line: socket.socket) -> None:
    """Fork a process for each order that comes, and tell how those that ended did."""
    orders = line.makefile("rw")
    ended: dict[int, int] = {}
    for text in orders:
        order = json.loads(text)
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                ended[found[0]] = os.waitstatus_to_exitcode(found[1])
        if "pid" in order:
            answer = {"status": ended.get(order["pid"])}
        else:
            pid = os.fork()
            if pid == 0:
                line.close()
                _become(order)
            answer = {"pid": pid}
        orders.write(json.dumps(answer) + "\n")
        orders.flush()


def _become(order: dict[str, Any]) -> None:
    status = 1
    try:
        for path, number in ((order["out"], 1), (order["log"], 2), (os.devnull, 0)):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), number)
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr
        status = launched.main(order["arguments"])
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
