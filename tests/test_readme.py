"""Every command that the README names exists; `.ci/run` runs the two that prove the project."""

import re
import subprocess
import sys
from pathlib import Path

import typer

from playbooks.__main__ import built

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def test_every_make_target_in_the_readme_exists() -> None:
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"drill", "test"} <= named
    assert named <= targets


def commands() -> dict[str, set[str]]:
    """Return every `stanch` command with the options that it takes."""
    known = dict(typer.main.get_command(built()).commands)
    for name, group in list(known.items()):
        known |= {f"{name} {sub}": c for sub, c in getattr(group, "commands", {}).items()}
    return {name: {o for one in c.params for o in one.opts} for name, c in known.items()}


def test_every_stanch_command_in_the_readme_exists_with_its_options() -> None:
    named = re.findall(r"^    stanch ([a-z]+)([^#\n]*)", README, re.MULTILINE)
    assert len(named) >= 10
    known = commands()
    for name, rest in named:
        assert name in known, f"README names `stanch {name}`"
        if any(other.startswith(f"{name} ") for other in known):
            name, rest = f"{name} {rest.split()[0]}", rest.partition(rest.split()[0])[2]
            assert name in known, f"README names `stanch {name}`"
        options = set(re.findall(r"(?<= )--?[a-z][a-z-]*", rest))
        assert options <= known[name], f"README gives `stanch {name}` other options"
    first = {name for name in known if " " not in name}
    assert {name for name, _ in named} | {"drill"} == first, "README leaves a command out"


def test_the_verifiers_command_in_the_readme_is_the_verifiers() -> None:
    [(name, rest)] = re.findall(r"^    python -m evidence ([a-z]+)(.*)$", README, re.MULTILINE)
    told = subprocess.run(
        [sys.executable, "-m", "evidence", name, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for option in re.findall(r"--[a-z]+", rest):
        assert option in told


def test_ci_finds_both_commands_in_shell_blocks() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert [b.strip() for b in blocks] == ["make drill", "make test"]
