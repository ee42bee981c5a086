"""What a question asks: read before it is answered."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from playbooks.desk.cli import wording
from playbooks.desk.cli.surroundings import printable


def subject(question: Mapping[str, Any], target: Mapping[str, str]) -> str:
    """Return in a few words what is asked."""
    if question["step"].startswith("rollback/"):
        acts = [s["action"].removeprefix("rollback:") for s in question["scopes"]]
        return printable(f"undo {', '.join(acts)}")
    if question["step"].startswith("go-on/"):
        return f"go on although {wording.name(question['step'][6:], target)} failed"
    return printable(", ".join(s["action"] for s in question["scopes"]))


def detail(console: Console, question: Mapping[str, Any]) -> None:
    """Print each act with what it writes and what is lost, and why it is asked."""
    about = question["about"]
    for why in about.get("why", []):
        console.print(f"    because: {printable(why)}")
    if "failed" in about:
        console.print(f"    failed: {printable(about['failed'])}")
    for wider in about.get("beyond the earlier approval", []):
        console.print(f"    [yellow]beyond the earlier yes:[/] {printable(wider)}")
    for scope in question["scopes"]:
        keys = f": writes {', '.join(scope['keys'])}" if scope["keys"] else ""
        console.print(f"    {printable(scope['action'])} on {printable(scope['target'] + keys)}")
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
