"""Runs `stanch` and the verifier as their users do: as processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended: its exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return what it printed as JSON, or {} where it printed none."""
        try:
            return json.loads(self.out)
        except json.JSONDecodeError:
            return {}


def stanch(environment: Mapping[str, str], *arguments: str) -> Ran:
    """Run `stanch` with this environment."""
    return _run([sys.executable, "-m", "playbooks", *arguments], environment)


def verify(bundle: Path, trust: Path) -> Ran:
    """Run the offline verifier."""
    command = [sys.executable, "-m", "evidence", "verify", str(bundle)]
    return _run([*command, "--trust", str(trust), "--json"], {})


def _run(command: list[str], environment: Mapping[str, str]) -> Ran:
    done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
        command,
        env=os.environ | dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
