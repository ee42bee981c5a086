"""Runs a simulator as a process: it says where it is in one JSON line, and ends with SIGTERM."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

STOPS = {signal.SIGTERM, signal.SIGINT}


def parser(prog: str, about: str | None) -> argparse.ArgumentParser:
    """Return the arguments that every simulator takes."""
    made = argparse.ArgumentParser(prog=prog, description=about)
    made.add_argument("--port", type=int, default=0)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--estate", action="store_true")
    made.add_argument("--state", type=Path)
    return made


def hold_signals() -> None:
    """Block what ends it; before the server's threads start, so that only sigwait sees them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)


def announce(line: dict[str, Any], state: Path | None) -> None:
    """Print the line, to a file of mode 0600 too where one is named, and wait for the end."""
    text = json.dumps(line) + "\n"
    if state:
        state.touch(mode=0o600)
        state.write_text(text)
    sys.stdout.write(text)
    sys.stdout.flush()
    signal.sigwait(STOPS)
