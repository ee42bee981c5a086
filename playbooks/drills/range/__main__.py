"""Run the range as a process: it prints its endpoint and the root keys as one JSON line.

    python -m playbooks.drills.range [--port 0] [--account N] [--region R] [--seed N]
                                     [--estate] [--state FILE]

The line: {"endpoint", "account", "region", "access_key", "secret_key", "control_token"}, and
"estate" with the scenario's ids when --estate builds it. --state writes the same line to a file
(mode 0600) besides. It ends with SIGTERM. The control token is random (control.py).
"""

from __future__ import annotations

import secrets
import sys
from dataclasses import asdict

from playbooks.drills.range.announced import announce, hold_signals, parser
from playbooks.drills.range.estate import build_estate
from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World


def main(argv: list[str] | None = None) -> int:
    """Serve a new world until SIGTERM or SIGINT; exit code 0."""
    arguments = parser("python -m playbooks.drills.range", __doc__)
    arguments.add_argument("--account", default="111122223333")
    arguments.add_argument("--region", default="eu-west-1")
    chosen = arguments.parse_args(argv)
    hold_signals()
    world = World(chosen.account, chosen.region, chosen.seed)
    token = secrets.token_urlsafe()
    scenario = {"estate": asdict(build_estate(world))} if chosen.estate else {}
    with serve(world, chosen.port, token) as endpoint:
        line = {
            **scenario,
            "control_token": token,
            "endpoint": endpoint,
            "account": world.account,
            "region": world.region,
            "access_key": world.admin.access_key,
            "secret_key": world.admin.secret_key,
        }
        announce(line, chosen.state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
