"""Runs `stanch`, or the verifier, in the range's time; with one thing broken where asked for.

    python -m playbooks.drills.launched --clock FILE [--broken NAME] {stanch,evidence} ARGUMENTS...

FILE holds the seconds that the range is ahead of this machine: a drill does not wait six hours
for a session to end. NAME is one that `stanch drill --sabotage list` names; without it nothing but
the clock is changed.
"""

import argparse
import sys
from datetime import datetime, timedelta
from pathlib import Path

from playbooks.wiring import parts

_machine = parts.now


def main(argv: list[str]) -> int:
    """Run the program; return its exit status where it does not leave by itself."""
    parser = argparse.ArgumentParser(prog="python -m playbooks.drills.launched")
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--broken")
    parser.add_argument("program", choices=("stanch", "evidence"))
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(argv)
    follow(chosen.clock)
    if chosen.broken:
        from playbooks.drills.scenarios import sabotages

        sabotages()[chosen.broken][1].commit()
    sys.argv = [chosen.program, *chosen.arguments]
    if chosen.program == "evidence":
        from evidence.__main__ import main as check

        return check(chosen.arguments)
    from playbooks.__main__ import main as stanch

    stanch()
    return 0


def follow(clock: Path) -> None:
    """Let this process's time be ahead of the machine's by what the file says, whenever asked."""

    def now() -> datetime:
        return _machine() + timedelta(seconds=float(clock.read_text()))

    parts.now = now


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
