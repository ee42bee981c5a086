"""A drill's timestamp authority: a process with its own key, in the range's time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playbooks.errors import PlaybookError

NAME = "range"
# In a drill's folder: the file of the seconds that its time is ahead of the machine's.
CLOCK = "clock"


@contextmanager
def stamped(folder: Path, ahead: float) -> Iterator[tuple[str, ...]]:
    """Run the authority while the block runs; yield the lines of stanch.toml that name it.

    It follows the clock in the drill's folder, which stands at `ahead` seconds to begin with.
    Raises PlaybookError where it does not start.
    """
    clock, log = folder / CLOCK, folder / "tsa.log"
    clock.write_text(str(ahead))
    command = [sys.executable, "-m", "playbooks.drills.range.tsa", "--folder", str(folder / "tsa")]
    with (
        log.open("wb") as logged,
        subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            [*command, "--clock", str(clock)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=logged,
            text=True,
        ) as process,
    ):
        try:
            yield _lines(process, log)
        finally:
            process.terminate()


def _lines(process: "subprocess.Popen[str]", log: Path) -> tuple[str, ...]:
    said = process.stdout.readline() if process.stdout else ""
    try:
        line = json.loads(said)
    except json.JSONDecodeError:
        process.kill()
        raise PlaybookError(
            f"the timestamp authority did not start: {log.read_text()[-500:]!r}. Start "
            "`python -m playbooks.drills.range.tsa` by hand to see more."
        ) from None
    names = ("url", "certificate", "root", "policy")
    return (f"[timestamps.{NAME}]", *(f"{name} = {json.dumps(line[name])}" for name in names))
