"""A responder is stopped in the middle of a call, its lease is taken by another, and it wakes."""

import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from actions.one_way import OneWay
from playbooks.case import schema
from playbooks.case.store import CALL, LEASE
from playbooks.wiring.gated import mutating
from tests.sample import each_of_the_day
from tests.stories.kindling import Kindled, kindled
from tests.stories.restless import Restless, contained, restless

AFTER = 1.0


@pytest.fixture(scope="module")
def fire(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with kindled(tmp_path_factory.mktemp("fire")) as made:
        yield made


class Pause:
    """Stops a process at its first call of an operation.

    `late` keeps the request back as the network may: it is carried out once `release` is set.
    """

    def __init__(self, here: Restless, operation: str, *, late: bool) -> None:
        self._here, self._operation, self._late = here, operation, late
        self.victim = 0
        self.stopped, self.release = threading.Event(), threading.Event()
        self._turn, self._handled = threading.Lock(), here.world.handle
        here.world.handle = self._handle  # type: ignore[method-assign]

    def _handle(self, environ: dict[str, Any]) -> Any:
        mine = False
        with self._turn:
            if self.victim and not self.stopped.is_set() and self._is(environ):
                self._stop()
                mine = True
        if mine and self._late:
            self.release.wait()
        return self._handled(environ)

    def _is(self, environ: dict[str, Any]) -> bool:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = BytesIO(body)
        return f"Action={self._operation}&".encode() in body + b"&"

    def _stop(self) -> None:
        """Stop it, but not while one of its threads holds the database's only writer's place."""
        path = self._here.made.settings.home / "stanch.db"
        while True:
            os.kill(self.victim, signal.SIGSTOP)
            try:
                with closing(sqlite3.connect(path, timeout=0.2, isolation_level=None)) as probe:
                    probe.execute("BEGIN IMMEDIATE")
                    probe.execute("ROLLBACK")
                break
            except sqlite3.OperationalError:
                os.kill(self.victim, signal.SIGCONT)
                time.sleep(0.01)
        self.stopped.set()


def holder(here: Restless) -> str:
    table = schema.incidents
    return str(here.db.read(lambda conn: conn.scalar(select(table.c.holder))) or "")


def changes(here: Restless) -> list[str]:
    aside = ("ReceiveMessage", "DeleteMessageBatch", "DeleteMessage", "GetCallerIdentity")
    return [c.operation for c in here.ours() if mutating(c.operation) and c.operation not in aside]


# One a day: what is carried out late comes after what is not.
PAUSES = [
    ("PutRolePolicy", False),
    ("CreateSnapshots", True),
    ("ModifyNetworkInterfaceAttribute", False),
    ("CreateSecurityGroup", True),
]


@pytest.mark.parametrize(("operation", "late"), each_of_the_day(PAUSES))
def test_whoever_wakes_after_its_lease_was_taken_does_nothing_more(
    operation: str,
    late: bool,
    fire: Kindled,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with restless(tmp_path, fire) as here:
        pause = Pause(here, operation, late=late)
        paused = here.serve()
        pause.victim = paused.pid
        here.insist(here.told(0, 1))
        assert pause.stopped.wait(60), here.log[-2000:]
        other = here.start("worker", "--without-prefect")
        here.tick(LEASE.total_seconds() + AFTER)
        here.until(lambda: f":{other.pid}:" in holder(here))
        # What is under way may still arrive, later than whoever looks for it would give it up.
        # What is not the same when it is done twice waits for as long as a call may take.
        time.sleep(OneWay.window + 3 * AFTER if operation == "CreateSnapshots" else AFTER)
        pause.release.set()
        here.tick(CALL.total_seconds() + AFTER)
        here.settled()
        contained(here)
        before = changes(here)
        os.kill(paused.pid, signal.SIGCONT)
        here.until(lambda: "was taken over meanwhile" in here.log)
        here.settled()
        assert changes(here) == before
        contained(here)
        # It is no worse for it: the next alert finds it at the door.
        here.insist(here.told(1, 2))
        here.settled()
        hosts = contained(here)
        with capsys.disabled():
            print(
                f"\npaused in {operation}{', its request late' if late else ''}: {len(before)} "
                f"changes, none after it woke; {len(here.accepted)} alerts in {len(hosts)} "
                "incidents"
            )
