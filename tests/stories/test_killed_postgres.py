"""More responders on one PostgreSQL, which is killed in the middle of alerts and plays."""

import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from evidence import ledger
from tests.postgres import Server, server_or_skip
from tests.sample import FULL, each_of_the_day
from tests.stories.kindling import Kindled, kindled
from tests.stories.restless import HOSTS, Restless, contained, restless, storm


@pytest.fixture(scope="module")
def fire(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with kindled(tmp_path_factory.mktemp("fire")) as made:
        yield made


@pytest.fixture(scope="module")
def postgres() -> Any:
    with server_or_skip() as made:
        yield made


def on(made: Server) -> dict[str, str]:
    """Return the environment of a deployment on a fresh database of the server."""
    return {"STANCH_DATABASE": "env:STORY_DATABASE", "STORY_DATABASE": made.url(made.database())}


def entered(here: Restless) -> Counter[str]:
    """Return how often each kind of entry ended, over all incidents."""
    alerts = here.alerts()
    entries = [
        e
        for incident in set(alerts.values())
        for e in here.db.read(lambda conn, one=incident: list(ledger.entries(conn, one)))
    ]
    return Counter(e.leaf.kind for e in entries)


def test_three_responders_contain_each_host_once_though_one_dies(
    fire: Kindled, postgres: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(41)
    with restless(tmp_path, fire, **on(postgres)) as here:
        here.serve()
        workers = [here.start("worker", "--without-prefect") for _ in range(2)]
        sends = storm(here, rng)
        for number, send in enumerate(sends):
            send()
            if number == len(sends) // 2:
                here.kill(workers[0])
        here.settled()
        assert len(contained(here)) == HOSTS
        kinds = entered(here)
        # The reflex comes to its end once, however many would run it.
        assert kinds["reflex.ended"] == HOSTS
        with capsys.disabled():
            print(
                f"\nthree responders, one killed: {len(here.accepted)} alerts in {HOSTS} "
                f"incidents, {kinds['play.ended']} entries of plays"
            )


@pytest.mark.parametrize("how", each_of_the_day(["kill", "immediate"], nth=1))
def test_what_was_accepted_outlives_the_death_of_postgres(
    fire: Kindled, postgres: Server, how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(f"43/{how}")
    with restless(tmp_path, fire, **on(postgres)) as here:
        here.serve()
        here.start("worker", "--without-prefect")
        sends = storm(here, rng)
        sent = threading.Event()

        def send() -> None:
            for one in sends:
                one()
                sent.wait(0.3)
            sent.set()

        sending = threading.Thread(target=send)
        sending.start()
        # It dies with a play at work, and comes back from the thread that it is to end with.
        here.until(lambda: any(c.operation == "PutRolePolicy" for c in here.ours()))
        postgres.stop(how)
        sent.wait(rng.uniform(1, 4))
        postgres.start()
        sending.join()
        here.settled()
        assert len(contained(here)) == HOSTS
        spooled = sum(i != "" and not i.startswith("INC-") for i in here.accepted.values())
        with capsys.disabled():
            print(
                f"\nPostgreSQL {how} in a storm: {len(here.accepted)} alerts accepted, "
                f"{spooled} into the spool, {len(here.alerts())} recorded in {HOSTS} incidents; "
                f"{entered(here)['play.unshown']} plays unshown"
            )


def processes(made: Server) -> list[int]:
    """Return the server's processes (proc(5): field 4 of stat is the parent)."""
    found = [made.pid]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = stat.read_text().rpartition(")")[2].split()[1]
            found += [int(stat.parent.name)] if int(parent) == made.pid else []
    return found


@pytest.mark.skipif(not FULL, reason="takes a minute: `make crash-full` runs it")
def test_a_postgres_that_hangs_keeps_no_host_from_being_contained(
    fire: Kindled, postgres: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It refuses nothing and closes nothing: its host acknowledges all, and nobody answers."""
    with restless(tmp_path, fire, **on(postgres)) as here:
        here.serve()
        here.insist(here.told(0, 1))
        here.settled()
        hung = processes(postgres)
        assert len(hung) > 3
        for pid in hung:
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            here.insist(here.told(1, 2))
            answered = time.monotonic() - began
            here.until(lambda: sum(c.operation == "PutRolePolicy" for c in here.ours()) >= 2)
            denied = time.monotonic() - began
        finally:
            for pid in hung:
                os.kill(pid, signal.SIGCONT)
        here.insist(here.told(2, 3))
        here.settled()
        assert len(contained(here)) == HOSTS
        with capsys.disabled():
            print(
                f"\nPostgreSQL hung: accepted after {answered:.0f} s, denied after {denied:.0f} s; "
                f"{len(here.accepted)} alerts accepted, {len(here.alerts())} recorded"
            )
