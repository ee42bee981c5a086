"""What a question asks: read before it is answered."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from playbooks.desk.cli import wording
from playbooks.desk.cli.surroundings import printable


def subject(question: Mapping[str, Any], target: Mapping[str, str]) -> str:
    """Return in a few words what is asked."""
    if question["step"].startswith("rollback/"):
        return f"undo {_acts(question)}"
    if question["step"].startswith("go-on/"):
        return f"go on although {wording.name(question['step'][6:], target)} failed"
    return _acts(question)


def _acts(question: Mapping[str, Any]) -> str:
    acts = [s["action"].removeprefix("rollback:") for s in question["scopes"]]
    short = acts if len(acts) < 3 else [f"{len(acts)} acts, {acts[0]} to {acts[-1]}"]
    return printable(" and ".join(short))


def detail(console: Console, question: Mapping[str, Any], target: Mapping[str, str]) -> None:
    """Print each act with what it writes and what is lost, and why it is asked."""
    about = question["about"]
    for why in about.get("why", []):
        console.print(f"    because: {printable(why)}")
    if "failed" in about:
        console.print(f"    failed: {printable(about['failed'])}")
    for wider in about.get("beyond the earlier approval", []):
        console.print(f"    [yellow]beyond the earlier yes:[/] {printable(wider)}")
    for scope in question["scopes"]:
        act = wording.name(f"{scope['action']}/{scope['target']}", target)
        keys = f", writes {printable(', '.join(scope['keys']))}" if scope["keys"] else ""
        console.print(f"    {act}{keys}")
        for lost in scope["lost"]:
            console.print(f"      [yellow]lost:[/] {printable(lost)}")
    for felt in about.get("blast", []):
        console.print(f"    felt: {printable(felt)}")


def after(question: Mapping[str, Any]) -> str:
    """Return the command that goes on once the question is answered."""
    kind, _, rest = question["step"].partition("/")
    if kind != "rollback":
        return f"stanch resume {question['incident']}"
    number = rest.partition("/")[0]
    return f"stanch rollback {question['incident']} --key KEY" + (
        "" if number == "all" else f" --step {number}"
    )
