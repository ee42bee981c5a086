"""From an alert that is sent to the first call that takes something from the attacker.

    python bench/respond.py [--runs 5] [--rounds 1] [--prefect up --prefect slow --prefect down]

`stanch serve` as it is, warm; AWS is the range in a process of its own, whose log of calls says
when it was asked to deny a host's sessions or to change its groups. Times run from before the
alert is signed and posted: accepting it is part of them. One alert at a time, and 20 at once, with
Prefect's server up, slow (each answer a second late) and down. The peer is an empty flow.
"""

import argparse
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.rig.figures import spread, tell
from bench.rig.served import environment, serving
from playbooks.drills.deliver import post, signed
from playbooks.drills.scenario import TYPE
from playbooks.wiring import prefect_server

AT_ONCE = 20
TAKES = ("PutRolePolicy", "ModifyNetworkInterfaceAttribute")
SENDER = "bench"
STATES = ("up", "slow", "down")
# Seconds for twenty plays to come to their end, which nothing here measures.
PATIENCE = 240.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--calls", type=Path, help="Keep the log of calls there.")
    parser.add_argument("--prefect", choices=STATES, action="append")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as name:
        folder = Path(name)
        for state in chosen.prefect or STATES:
            home = folder / state
            home.mkdir()
            with prefect(home, state) as url:
                if state == "up":
                    peer(home, url)
                measure(home, state, url, chosen)


@contextmanager
def prefect(folder: Path, state: str) -> Iterator[str]:
    """Yield the URL of a server that is up, slow or down."""
    if state == "down":
        yield "http://127.0.0.1:9/api"
        return
    with prefect_server.beside(folder) as server:
        if not server.answers(120.0):
            raise SystemExit("Prefect's server did not answer within 120 s")
        url = os.environ.pop("PREFECT_API_URL")
        if state == "up":
            yield url
            return
        port = url.removesuffix("/api").rpartition(":")[2]
        with serving(["-m", "bench.rig.delayed", port, "1.0"], environment(), folder) as proxy:
            yield f"{proxy.url}/api"


def peer(folder: Path, url: str) -> None:
    """Print how long an empty flow takes to begin, in a process that did it before."""
    env = environment(**prefect_server.environment(folder), PREFECT_API_URL=url)
    done = subprocess.run(
        [sys.executable, "-m", "bench.rig.flow"], env=env, check=True, stdout=subprocess.PIPE
    )
    spread("respond_peer_empty_flow_begins", json.loads(done.stdout))


def measure(folder: Path, state: str, prefect_url: str, chosen: argparse.Namespace) -> None:
    runs, rounds = chosen.runs, chosen.rounds
    told, calls = folder / "told.json", folder / "calls"
    count = 1 + runs + rounds * AT_ONCE
    aside = folder / "range"
    aside.mkdir()
    with serving(
        ["-m", "bench.rig.cloud", str(count), str(told), str(calls)], environment(), aside
    ):
        facts = json.loads(told.read_text())
        env = deploy(folder, facts) | {"PREFECT_API_URL": prefect_url}
        with serving(["-m", "playbooks", "serve", "--port", "0"], env, folder) as served:
            here = Bench(folder, facts, served.url, env["BENCH_KEY"], calls)
            hosts = iter(facts["hosts"])
            here.once([next(hosts)])  # A service has answered one before.
            one = [here.once([next(hosts)])[0] for _ in range(runs)]
            spread(f"respond_1_prefect_{state}", one, f"{runs} runs")
            rest = [[next(hosts) for _ in range(AT_ONCE)] for _ in range(rounds)]
            many = [took for these in rest for took in here.once(these)]
            spread(f"respond_{AT_ONCE}_prefect_{state}", many, f"{rounds} times {AT_ONCE}")
            share = here.busy / here.waited
            tell(f"respond_{AT_ONCE}_prefect_{state}_aws_busy", 100 * share, "% of the time")
            tell(f"respond_prefect_{state}_memory", served.memory("VmRSS"), "MB")
    if chosen.calls:
        calls.replace(chosen.calls)


def deploy(folder: Path, facts: dict[str, Any]) -> dict[str, str]:
    """Write the settings and make the deployment; return its environment."""
    (folder / "stanch.toml").write_text(
        f'home = "home"\naws_endpoint = "{facts["endpoint"]}"\n'
        f'[accounts."{facts["account"]}"]\nrole = "{facts["role"]}"\n'
        f'external_id = "env:BENCH_EXTERNAL_ID"\nregions = ["{facts["region"]}"]\n'
        f'[automatic]\ntypes = ["{TYPE}"]\n'
        # So many at once would rightly be asked about.
        "[guard]\naccount_ceiling = 10000\nservice_ceiling = 10000\ngroup_ceiling = 10000\n"
        f'[sources.{SENDER}]\nkeys = ["env:BENCH_KEY"]\n'
        f'[sources.{SENDER}.plays]\n"{TYPE}" = "compromised-instance"\n'
    )
    env = environment(
        STANCH_CONFIG=str(folder / "stanch.toml"),
        BENCH_EXTERNAL_ID=facts["external_id"],
        BENCH_KEY=secrets.token_hex(32),
        AWS_ACCESS_KEY_ID=facts["access_key"],
        AWS_SECRET_ACCESS_KEY=facts["secret_key"],
        AWS_DEFAULT_REGION=facts["region"],
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )
    init = [sys.executable, "-m", "playbooks", "init"]
    subprocess.run(init, env=env, check=True, stdout=subprocess.DEVNULL)
    return env


@dataclass(frozen=True, slots=True)
class Call:
    """A line of bench/rig/cloud.py."""

    operation: str
    host: str
    began: float
    ended: float
    status: int


class Bench:
    """A running deployment.

    Of the `waited` seconds until the last host was taken something, AWS had something to answer
    for `busy`.
    """

    def __init__(
        self, folder: Path, facts: dict[str, Any], url: str, key: str, calls: Path
    ) -> None:
        self._database = folder / "home" / "stanch.db"
        self._facts = facts
        self._url = url
        self._key = key
        self._calls = calls.open()
        self._seen: list[Call] = []
        self._taken: dict[str, float] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self.busy = self.waited = 0.0

    def once(self, hosts: Sequence[str]) -> list[float]:
        """Tell of all these hosts at once; return how long each kept what it has, in seconds."""
        sent = list(self._pool.map(self._send, hosts))
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            time.sleep(0.25)
            self._look()
            if all(host in self._taken for host in hosts) and self._quiet():
                break
        else:
            raise SystemExit(f"not all of {len(hosts)} hosts were contained in {PATIENCE:g} s")
        first, last = min(sent), max(self._taken[host] for host in hosts)
        spent = [(one.began, min(one.ended, last)) for one in self._seen if one.began >= first]
        self.busy, self.waited = covered(spent), last - first
        return [self._taken[host] - at for host, at in zip(hosts, sent, strict=True)]

    def _send(self, host: str) -> float:
        at = time.monotonic()
        now = datetime.now(UTC)
        answer = post(self._url, signed(SENDER, self._key, self._finding(host, now), now))
        if answer.status != 202 or not answer.said["new"]:
            raise SystemExit(f"the alert about {host} was answered {answer}")
        return at

    def _finding(self, host: str, now: datetime) -> dict[str, Any]:
        at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "uid": f"bench-{host}",
            "type": TYPE,
            "title": "A host talks to a command and control server",
            "severity": 8.0,
            "account": self._facts["account"],
            "region": self._facts["region"],
            "resource": {"kind": "instance", "uid": host},
            "first_seen": at,
            "last_seen": at,
        }

    def _look(self) -> None:
        """Read what AWS was asked since the last look, and when a host was first taken something.

        A look at the whole each time would take from what is measured.
        """
        while line := self._calls.readline():
            if not line.endswith("\n"):
                self._calls.seek(self._calls.tell() - len(line))
                return
            one = Call(*json.loads(line))
            self._seen.append(one)
            if one.operation in TAKES and one.host and one.status == 200:
                self._taken.setdefault(one.host, one.ended)

    def _quiet(self) -> bool:
        """Return whether no play runs, so that the next alert is answered by a resting service."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            due = "SELECT count(*) FROM work WHERE NOT done AND why <> 'timer'"
            held = "SELECT count(*) FROM incidents WHERE holder <> ''"
            return all(database.execute(one).fetchone() == (0,) for one in (due, held))


def covered(spans: Sequence[tuple[float, float]]) -> float:
    """Return the length of the union of spans of time."""
    total, until = 0.0, float("-inf")
    for began, ended in sorted(spans):
        total += max(ended - max(began, until), 0.0)
        until = max(until, ended)
    return total


if __name__ == "__main__":
    main()
