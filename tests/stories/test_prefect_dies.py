"""Prefect's server is killed in mid-play, comes back, and goes for good: each host is contained."""

import os
import signal
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from evidence import ledger
from playbooks.wiring.prefect_server import beside
from tests.stories.kindling import kindled
from tests.stories.restless import Restless, contained, restless
from tests.stories.test_killed_with_prefect import PREFECT, runs


def kinds(here: Restless, incident: str) -> Counter[str]:
    entries = here.db.read(lambda conn: list(ledger.entries(conn, incident)))
    return Counter(e.leaf.kind for e in entries)


def acted(here: Restless, operation: str, times: int) -> bool:
    return sum(c.operation == operation for c in here.ours()) >= times


@PREFECT
def test_whatever_becomes_of_prefect_a_play_ends_contained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in os.environ if n.startswith("PREFECT_")] + ["DO_NOT_TRACK"]:
        monkeypatch.setenv(name, "")  # Given back at the end, whatever is made of it here.
        monkeypatch.delenv(name)
    with ExitStack() as prefect:
        server = prefect.enter_context(beside(tmp_path))
        assert server.answers(90), "Prefect's server did not get up"
        fire = prefect.enter_context(kindled(tmp_path / "fire", PREFECT_API_URL=server.url))
        here = prefect.enter_context(restless(tmp_path / "here", fire))
        child = here.serve(prefect=True)

        # Killed: the play is shown, and at work when it happens.
        here.insist(here.told(0, 1))
        here.until(lambda: acted(here, "CreateSnapshots", 1))
        shown = len(runs(server.url))
        first, pid = server, server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        here.settled()
        contained(here)

        # Restarted, as its keeper does that: the next play may be shown again.
        here.until(lambda: first.pid not in (None, pid))
        assert first.answers(90)
        here.insist(here.told(1, 2))
        here.settled()
        contained(here)
        known = Counter(run["name"].rpartition("-")[0] for run in runs(server.url))

        # Absent: it hangs first, so that nothing answers and nothing refuses.
        os.kill(first.pid or 0, signal.SIGSTOP)
        here.insist(here.told(2, 3))
        here.settled()
        hosts = contained(here)
        os.kill(first.pid or 0, signal.SIGKILL)
        assert child.poll() is None

        told = {incident: kinds(here, incident) for incident in hosts.values()}
        for incident, counted in told.items():
            # Nobody has to wonder why a play is not to be seen.
            seen = known[incident] + counted["play.unshown"]
            assert seen >= counted["play.ended"] >= 1, (incident, known, counted)
        absent = told[hosts[here.hosts[2]]]
        assert absent["play.unshown"] == absent["play.ended"]
        with capsys.disabled():
            unshown: Any = sum(one["play.unshown"] for one in told.values())
            print(
                f"\nPrefect killed, restarted, gone: {len(hosts)} of 3 contained, "
                f"{sum(known.values())} runs shown ({shown} when it was killed), {unshown} unshown"
            )
