"""Run the simulated Vault as a process: it prints where it is, and its keys, as one JSON line.

    python -m playbooks.drills.range.vault [--port 0] [--seed N] [--estate] [--state FILE]

The line: {"endpoint", "root_token", "unseal_keys", "control_token"}, and "estate" with the
scenario's logins when --estate builds it. --state writes the same line to a file (mode 0600)
besides. It ends with SIGTERM. The control token is random (control.py).
"""

from __future__ import annotations

import secrets
import sys
from dataclasses import asdict

from playbooks.drills.range.announced import announce, hold_signals, parser
from playbooks.drills.range.vault.estate import build_vault_estate
from playbooks.drills.range.vault.server import serve
from playbooks.drills.range.vault.world import VaultWorld


def main(argv: list[str] | None = None) -> int:
    """Serve a new Vault until SIGTERM or SIGINT; exit code 0."""
    chosen = parser("python -m playbooks.drills.range.vault", __doc__).parse_args(argv)
    hold_signals()
    world = VaultWorld(chosen.seed)
    token = secrets.token_urlsafe()
    scenario = {"estate": asdict(build_vault_estate(world))} if chosen.estate else {}
    with serve(world, chosen.port, token) as endpoint:
        line = {
            **scenario,
            "control_token": token,
            "endpoint": endpoint,
            "root_token": world.root_token,
            "unseal_keys": world.unseal_keys,
        }
        announce(line, chosen.state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
