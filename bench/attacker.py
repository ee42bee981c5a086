"""An attacker that fights back, against orders of steps: who wins, how late, after how many calls.

    python bench/attacker.py [--runs 100] [--order naive --order ours_with_latch] [--jobs 2]

Everything runs in the range and on its clock: seconds are the range's. Each run is one seed: of
the attacker's and the responder's pace, of IAM's delays, and of how long the attacker was at work
before the alert (bench/rig/hunted.py). Contained counts only if the attacker, with every credential
that it ever got, fails for 60 s; one that still gets through a minute after the alert is not, and
its run ends there.
"""

import argparse
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice

from bench.rig.figures import at, tell
from bench.rig.hunted import Hunt, Score, run
from bench.rig.orders import ORDERS


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--order", choices=ORDERS, action="append")
    chosen = parser.parse_args()
    for name in chosen.order or ORDERS:
        order, build = ORDERS[name]
        show(name, list(scored(build(), order, chosen.runs, chosen.jobs)))


def show(name: str, scores: list[Score]) -> None:
    """Print the figures of one order, one a line."""
    runs = f"{len(scores)} runs"
    for share, what in ((0.5, "p50"), (0.9, "p90"), (1.0, "max")):
        seconds = at(share, [s.seconds for s in scores])
        calls = at(share, [float(s.calls) for s in scores])
        tell(f"attacker_{name}_last_success_{what}", seconds, "s", runs)
        tell(f"attacker_{name}_calls_{what}", calls, "calls", runs)
    after = at(0.9, [float(s.after_deny) for s in scores])
    tell(f"attacker_{name}_calls_after_deny_p90", after, "calls", runs)
    none = sum(1 for s in scores if s.after_deny == 0)
    tell(f"attacker_{name}_none_after_deny", none / len(scores), "of runs", runs)
    contained = sum(1 for s in scores if s.contained)
    tell(f"attacker_{name}_contained", contained / len(scores), "of runs", runs)


def scored(hunt: Hunt, order: Callable[[Hunt], None], runs: int, jobs: int) -> Iterator[Score]:
    """Yield each seed's score; every run is a fork, which owns a copy of the world."""
    seeds = iter(range(runs))
    while batch := list(islice(seeds, jobs)):
        pipes = [_forked(lambda seed=seed: run(hunt, order, seed)) for seed in batch]  # type: ignore[misc]
        for pid, pipe in pipes:
            with os.fdopen(pipe, "rb") as said:
                told = said.read()
            os.waitpid(pid, 0)
            if not told:
                raise SystemExit("a run ended without a score; its error stands above")
            yield Score(**json.loads(told))


def _forked(count: Callable[[], Score]) -> tuple[int, int]:
    out, into = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        # A collection would touch, and so copy, every page of the parent.
        gc.disable()
        try:
            os.write(into, json.dumps(asdict(count())).encode())
            status = 0
        except Exception:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        finally:
            os._exit(status)
    os.close(into)
    return pid, out


if __name__ == "__main__":
    main()
