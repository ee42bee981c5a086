"""Run the simulated Vault as a process: it prints where it is, and its keys, as one JSON line.

    python -m playbooks.drills.range.vault [--port 0] [--seed N] [--estate] [--state FILE]

The line: {"endpoint", "root_token", "unseal_keys", "control_token"}, and "estate" with the
scenario's logins when --estate builds it. --state writes the same line to a file (mode 0600)
besides. It ends with SIGTERM. The control token is random (control.py).
"""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from playbooks.drills.range.vault.estate import build_vault_estate
from playbooks.drills.range.vault.server import serve
from playbooks.drills.range.vault.world import VaultWorld


def main(argv: list[str] | None = None) -> int:
    """Serve a new Vault until SIGTERM or SIGINT; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m playbooks.drills.range.vault", description=__doc__
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--estate", action="store_true")
    parser.add_argument("--state", type=Path)
    chosen = parser.parse_args(argv)
    stops = {signal.SIGTERM, signal.SIGINT}
    # Blocked before the server's threads start, so that only sigwait sees them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
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
        text = json.dumps(line) + "\n"
        if chosen.state:
            chosen.state.touch(mode=0o600)
            chosen.state.write_text(text)
        sys.stdout.write(text)
        sys.stdout.flush()
        signal.sigwait(stops)
    return 0


if __name__ == "__main__":
    sys.exit(main())
