"""What the door bears: signed alerts over HTTP, each durable before it is acknowledged.

    python bench/accept.py [--seconds 10] [--rate 1000] [--find] [--sample]

A storm is sent on its own schedule from another process, and times run from that schedule. Half
of it are copies; it is about 20 hosts. After it, each acknowledged alert must be in the database
once. The bare server of bench/rig/bare.py is the ceiling that the same HTTP server and disk set.
--find looks for the highest rate with p99 < 1 s; --sample says where the server spends its time.
"""

import argparse
import itertools
import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.rig import storm
from bench.rig.figures import at, skip, spread, tell
from bench.rig.served import Served, environment, family_cpu, serving
from bench.rig.tally import Told, read, tally
from evidence import ledger
from tests.postgres import Server, server

GOAL = 1.0
# Rates that are tried, in 1/s, and for how long each.
STEPS = (250, 500, 750, 1000, 1250, 1500, 1750, 2000, 2500, 3000, 4000)
STEP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Sent:
    """What a sender saw, and what it and the server used meanwhile."""

    told: list[Told]
    cpu: float
    latest: float
    served: float
    database: float

    @property
    def seconds(self) -> list[float]:
        return [one.seconds for one in self.told if one.status == 202]

    @property
    def p99(self) -> float:
        """Return the 99th percentile, of which what was not accepted is the worst."""
        return at(0.99, [one.seconds if one.status == 202 else float("inf") for one in self.told])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--find", action="store_true")
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--only", choices=("bare", "sqlite", "postgresql"))
    chosen = parser.parse_args()
    if chosen.only in (None, "bare"):
        bare(chosen)
    if chosen.only in (None, "sqlite"):
        with tempfile.TemporaryDirectory(prefix="stanch-bench-") as name:
            stanch(chosen, Path(name), None)
    if chosen.only in (None, "postgresql"):
        try:
            with (
                tempfile.TemporaryDirectory(prefix="stanch-bench-") as name,
                server(durable=True) as postgres,
            ):
                stanch(chosen, Path(name), postgres)
        except FileNotFoundError as error:
            skip("accept on PostgreSQL", error)


def bare(chosen: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as name:
        folder = Path(name)
        command = ["-m", "bench.rig.bare", str(folder / "bare.db")]
        with serving(command, environment(), folder) as served:
            measure("accept_bare", chosen, served, folder, "k" * 64, None)


def stanch(chosen: argparse.Namespace, folder: Path, postgres: Server | None) -> None:
    key = secrets.token_hex(32)
    (folder / "stanch.toml").write_text(
        'home = "home"\n'
        + ('database = "env:BENCH_DATABASE"\n' if postgres else "")
        + f'[sources.{storm.SENDER}]\nkeys = ["env:BENCH_KEY"]\n'
    )
    url = postgres.url(postgres.database()) if postgres else ""
    config = str(folder / "stanch.toml")
    env = environment(STANCH_CONFIG=config, BENCH_KEY=key, BENCH_DATABASE=url)
    stanch = ["-m", "bench.rig.sampled"] if chosen.sample else ["-m", "playbooks"]
    subprocess.run(
        [sys.executable, "-m", "playbooks", "init"], env=env, check=True, stdout=subprocess.DEVNULL
    )
    with serving([*stanch, "serve", "--port", "0", "--without-prefect"], env, folder) as served:
        kind = "postgresql" if postgres else "sqlite"
        told = measure(f"accept_{kind}", chosen, served, folder, key, postgres)
    if chosen.sample:
        print(served.log.read_text())
    engine = (
        ledger.postgres_engine(url) if postgres else ledger.sqlite_engine(folder / "home/stanch.db")
    )
    found = tally(engine, told)
    engine.dispose()
    tell(f"accept_{kind}_lost", found.lost, "alerts", f"of {len(told)} sent")
    tell(
        f"accept_{kind}_doubled",
        found.doubled,
        "alerts",
        f"{found.incidents} incidents, {storm.INCIDENTS} a storm",
    )
    if found.lost or found.doubled:
        raise SystemExit(f"lost {found.lost}, doubled {found.doubled}: expected none of either")


def measure(
    name: str,
    chosen: argparse.Namespace,
    served: Served,
    folder: Path,
    key: str,
    postgres: Server | None,
) -> list[Told]:
    """Send the storm and print its figures; return all that was sent and told."""
    numbers = itertools.count()

    def send(rate: float, seconds: float) -> Sent:
        one = storm.Storm(f"s{next(numbers)}", rate, seconds, key)
        return sent(one, served, folder, postgres)

    warm = send(200.0, 1.0)  # What imports and connects, a service has done long before.
    found = send(chosen.rate, chosen.seconds)
    told, wait = found.told, found.seconds
    due, refused = int(chosen.rate * chosen.seconds), len(told) - len(wait)
    tell(f"{name}_sent", len(told), "alerts", f"of {due} in {chosen.seconds:g} s")
    tell(f"{name}_accepted", len(wait), "alerts", f"{refused} not")
    spread(name, wait)
    tell(f"{name}_server_cpu", 100 * found.served / chosen.seconds, "% of a core")
    if postgres:
        tell(f"{name}_database_cpu", 100 * found.database / chosen.seconds, "% of a core")
    late = f"never more than {found.latest * 1e3:.0f} ms late by itself"
    tell(f"{name}_sender_cpu", 100 * found.cpu / chosen.seconds, "% of a core", late)
    tell(f"{name}_server_memory", served.memory("VmRSS"), "MB")
    tell(f"{name}_server_memory_most", served.memory("VmHWM"), "MB")
    return warm.told + told + (highest(name, send) if chosen.find else [])


def highest(name: str, send: Callable[[float, float], Sent]) -> list[Told]:
    """Print the highest rate tried at which 99 of 100 are accepted within the goal."""
    told: list[Told] = []
    best, why = 0.0, ""
    for rate in STEPS:
        found = send(rate, STEP_SECONDS)
        told += found.told
        used = found.served / STEP_SECONDS
        why = f"{rate}/s: p99 {found.p99 * 1e3:.0f} ms, server {used:.0%} of a core"
        if found.p99 > GOAL:
            break
        best = rate
    tell(f"{name}_highest_rate", best, "1/s", f"p99 under {GOAL:g} s; {why}")
    return told


def sent(one: storm.Storm, served: Served, folder: Path, postgres: Server | None) -> Sent:
    """Send a storm from a process of its own."""
    out = folder / f"{one.name}.told"
    before, database = served.cpu, family_cpu(postgres.pid) if postgres else 0.0
    arguments = [str(served.port), str(out), one.name, str(one.rate), str(one.seconds)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.rig.sender", *arguments],
        env=environment(),
        input=one.key,
        text=True,
        check=True,
        stdout=subprocess.PIPE,
    )
    mine = json.loads(done.stdout)
    used = family_cpu(postgres.pid) - database if postgres else 0.0
    return Sent(read(out), mine["cpu"], mine["latest"], served.cpu - before, used)


if __name__ == "__main__":
    main()
