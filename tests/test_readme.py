"""Every command that the README names exists; `.ci/run` runs the two that prove the project."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def test_every_make_target_in_the_readme_exists() -> None:
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"drill", "test"} <= named
    assert named <= targets


def test_every_stanch_subcommand_in_the_readme_exists() -> None:
    named = set(re.findall(r"^    stanch ([a-z]+)", README, re.MULTILINE))
    told = subprocess.run(
        [sys.executable, "-m", "playbooks", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert named
    for name in named:
        assert re.search(rf"\b{name}\b", told), f"README names `stanch {name}`"


def test_ci_finds_both_commands_in_shell_blocks() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert [b.strip() for b in blocks] == ["make drill", "make test"]
