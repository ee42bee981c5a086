"""From a finding in hand to the first call that takes something from the attacker, warm.

The range answers over HTTP from a process of its own; the responder has its modules imported and
its clients made, as a service would. Figures are of this machine, the range's own time included.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from playbooks.case.enter import enter
from playbooks.case.store import Store
from playbooks.drills.range.server import serve
from playbooks.intake.read import read_alert
from playbooks.respond.take import take
from playbooks.wiring.prefect_server import environment, running

RUNS = 5


def main() -> None:
    """Measure without Prefect, then with it: one child process each, for each sets its own up."""
    if len(sys.argv) > 1:
        measure(prefect=sys.argv[1] == "prefect")
        return
    for kind in ("plain", "prefect"):
        subprocess.run([sys.executable, __file__, kind], check=True)


def measure(*, prefect: bool) -> None:
    folder = Path(tempfile.mkdtemp(prefix="stanch-bench-"))
    os.environ.update(environment(folder))
    with running(folder, 90.0) if prefect else nullcontext("") as url:
        if url is None:
            raise SystemExit("Prefect's server did not answer within 90 s")
        runs = []
        for run in range(RUNS + 1):
            home = folder / str(run)
            home.mkdir()
            runs.append(once(home, shown=prefect))
    warm = runs[1:]  # the first one imports and connects; a service has done so long before
    kind = "with_prefect" if prefect else "without_prefect"
    first, denial, start = (median(r[k] for r in warm) for k in ("first", "denial", "start"))
    print(f"BENCH respond_first_mutating_call_{kind} {first:.3f} s")
    print(f"BENCH respond_attacker_loses_credentials_{kind} {denial:.3f} s")
    if prefect:
        print(f"BENCH flow_start {start:.3f} s")


def once(home: Path, *, shown: bool) -> dict[str, float]:
    """Answer one finding on a fresh range; return seconds from the finding in hand."""
    from playbooks.case import play
    from playbooks.compromised_instance import compromised_instance
    from tests.deployment import deployed

    deployment = deployed(home)
    calls: list[tuple[str, float]] = []
    handled = deployment.world.handle

    def handle(environ: dict[str, Any]) -> Any:
        answer = handled(environ)
        last = deployment.world.calls[-1]
        if last.mutating:
            calls.append((last.operation, time.perf_counter()))
        return answer

    deployment.world.handle = handle  # type: ignore[method-assign]
    with serve(deployment.world) as endpoint:
        parts = over_http(deployment, endpoint)
        entered: list[float] = []
        body = play.body_of(compromised_instance)

        async def timed(case: Any) -> None:
            entered.append(time.perf_counter())
            await body(case)

        start = time.perf_counter()
        alert = read_alert(deployment.finding(), received=deployment.now())
        db = Store(parts.engine)
        incident = take(parts, db, alert).incident
        if shown:
            play.assemble = lambda settings: parts  # the warm parts, not new ones
            play.load = lambda: parts.settings
            made = named(play, timed)
            asyncio.run(play.show(made, incident.id, incident.entry, 60.0))
        else:
            asyncio.run(enter(parts, db, incident.id, timed, incident.play))
    return {
        "first": calls[0][1] - start,
        "denial": next(at for name, at in calls if name == "PutRolePolicy") - start,
        "start": entered[0] - start,
    }


def named(play: Any, body: Any) -> Any:
    """Return the flow of a body that is called as the play is."""
    body.__name__ = "compromised_instance"
    return play.play(body)


def over_http(deployment: Any, endpoint: str) -> Any:
    """Return parts with clients over HTTP, real waits and a pool."""
    maker = deployment.over_http(endpoint)
    for service in ("ec2", "iam", "autoscaling", "elbv2", "cloudtrail", "kms"):
        maker("", "eu-west-1")(service)
    pool = ThreadPoolExecutor(16)
    return replace(deployment.parts(), maker=maker, sleep=asyncio.sleep, pool=pool)


if __name__ == "__main__":
    main()
