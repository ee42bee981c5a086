"""A drill whose Stanch does not contain the host says so: in its status, screen and scorecard."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.drills.scorecard import Claim, Scorecard

ROOT = Path(__file__).resolve().parents[2]


def drill(folder: Path, before: str = "") -> Any:
    """Run the drill, with some Python before it: settings of the environment do not reach it."""
    code = (
        "import sys\nfrom tests.stories.forking_drill import forked, main\n"
        f"runner = forked()\n{before}\nmain(runner, *sys.argv[1:])"
    )
    return subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "--scenario",
            "compromised-instance",
            "--out",
            str(folder),
        ],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_host_that_is_not_contained_fails_the_drill(tmp_path: Path) -> None:
    # An earlier drill's outcome lies there, and must not be taken for this one's.
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "old").write_text("")
    (tmp_path / "scorecard.json").write_text("{}")
    # Below this floor the finding is proposed, and nobody answers.
    ran = drill(tmp_path, "from playbooks.drills import scenario; scenario.FLOOR = 9.5")
    assert ran.returncode == 1, ran.stderr
    score = json.loads((tmp_path / "scorecard.json").read_text())
    assert score["ok"] is False
    for claim in score["claims"]:
        assert set(claim) == {"name", "expected", "seen", "ok"}
        assert claim["ok"] == (claim["expected"] == claim["seen"])
    wrong = {c["name"] for c in score["claims"] if not c["ok"]}
    assert wrong >= {
        "the stolen credentials do nothing",
        "the network lets nothing through",
        "every step is verified",
        "status is honest",
        "the times are known, queue",
        "the times are known, signed request",
    }
    for name in wrong:
        assert name in ran.stdout
    # What was kept is proven all the same.
    assert not wrong & {"the bundle verifies offline", "a flipped bit is caught"}
    assert not (tmp_path / "bundle" / "old").exists()


def test_what_no_drill_left_is_not_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "mine").write_text("")
    ran = drill(tmp_path)
    assert ran.returncode == 1
    assert "another folder" in ran.stderr
    assert [p.name for p in tmp_path.rglob("*")] == ["bundle", "mine"]


values = st.one_of(st.booleans(), st.integers(0, 3), st.lists(st.sampled_from("ab"), max_size=2))
claims = st.lists(st.builds(Claim, st.text(max_size=3), values, values), max_size=4)


@given(claims)
def test_a_scorecard_holds_when_every_claim_does_and_there_is_one(some: list[Claim]) -> None:
    score = Scorecard(list(some))
    assert score.ok == (some != [] and all(c.expected == c.seen for c in some))
    assert [*score.failed()] == [c for c in some if c.expected != c.seen]


def test_a_written_scorecard_comes_back(tmp_path: Path) -> None:
    score = Scorecard(figures={"alert to contained": 1.23456})
    assert score.claim("one", 3, 3)
    assert not score.claim("two", [], ["left"])
    score.write(tmp_path / "scorecard.json")
    assert json.loads((tmp_path / "scorecard.json").read_text()) == {
        "ok": False,
        "claims": [
            {"name": "one", "expected": 3, "seen": 3, "ok": True},
            {"name": "two", "expected": [], "seen": ["left"], "ok": False},
        ],
        "figures": {"alert to contained": pytest.approx(1.235)},
    }
