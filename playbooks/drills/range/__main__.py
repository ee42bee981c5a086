"""Run the range as a process: it prints its endpoint and the root keys as one JSON line.

    python -m playbooks.drills.range [--port 0] [--account N] [--region R] [--seed N]

The line: {"endpoint", "account", "region", "access_key", "secret_key"}. It ends with SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys

from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World


def main(argv: list[str] | None = None) -> int:
    """Serve a new world until SIGTERM or SIGINT; exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m playbooks.drills.range", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--account", default="111122223333")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(argv)
    stops = {signal.SIGTERM, signal.SIGINT}
    # Blocked before the server's threads start, so that only sigwait sees them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    world = World(chosen.account, chosen.region, chosen.seed)
    with serve(world, chosen.port) as endpoint:
        line = {
            "endpoint": endpoint,
            "account": world.account,
            "region": world.region,
            "access_key": world.admin.access_key,
            "secret_key": world.admin.secret_key,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        signal.sigwait(stops)
    return 0


if __name__ == "__main__":
    sys.exit(main())
