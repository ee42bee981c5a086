"""Who waits for a long check is told how far it has come, and nobody else is."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from evidence import bag
from evidence.progress import EVERY, QUIET, Progress
from evidence.verify import verify_bundle


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(out: io.StringIO, *moments: float) -> str:
    clock = iter([0.0, *(moment for one in moments for moment in (one, one))])
    progress = Progress(out, lambda: next(clock, 1e9))
    for number, _ in enumerate(moments, 1):
        progress(number * 10**9, 4 * 10**9)
    progress.end()
    return out.getvalue()


def test_a_short_check_tells_nothing():
    assert told(io.StringIO(), QUIET / 2) == ""


def test_a_long_one_tells_in_lines_and_on_a_terminal_in_one():
    said = ["hashed 1.00 of 4.00 GB (25 %)", "hashed 2.00 of 4.00 GB (50 %)"]
    moments = QUIET, QUIET + EVERY
    assert told(io.StringIO(), *moments) == "".join(f"{line}\n" for line in said)
    assert told(Terminal(), *moments) == "".join(f"\r{line}" for line in said) + "\n"


def test_all_of_the_payload_is_told_of_and_never_more(original):
    chamber, bundle = original
    heard: list[tuple[int, int]] = []
    verify_bundle(bundle, chamber.trust, told=lambda done, total: heard.append((done, total)))
    size = sum(path.stat().st_size for path in (bundle / "data").rglob("*") if path.is_file())
    assert {total for _, total in heard} == {size}
    assert max(heard) == (size, size)


@pytest.mark.parametrize("more", [[], ["--progress"], ["--json", "--progress"]])
def test_the_command_keeps_it_apart_from_the_verdict(original, tmp_path, more):
    chamber, bundle = original
    trust = Path(tmp_path / "trust.json")
    trust.write_text(json.dumps(chamber.trust))
    command = [sys.executable, "-m", "evidence", "verify", bundle, "--trust", trust, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "hashed" not in done.stdout
    assert done.stderr == ""
    if "--json" in more:
        assert json.loads(done.stdout)["exit_code"] == 3
    assert bag.ENTRIES not in done.stdout
