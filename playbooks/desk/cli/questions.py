"""What a question asks: read before it is answered."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from playbooks.desk.cli import wording
from playbooks.desk.cli.surroundings import printable

# Questions about a way back.
BACK = ("rollback/", "release/")


def subject(question: Mapping[str, Any], target: Mapping[str, str]) -> str:
    """Return in a few words what is asked."""
    if question["step"].startswith(BACK):
        verb = {"rollback": "undo", "release": "release the host and undo"}
        return f"{verb[question['step'].partition('/')[0]]} {_acts(question)}"
    if question["step"].startswith("go-on/"):
        return f"go on although {wording.name(question['step'][6:], target)} failed"
    return _acts(question)


def _acts(question: Mapping[str, Any]) -> str:
    acts = [s["action"].rpartition(":")[2] for s in question["scopes"]]
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
    if question["step"].startswith(BACK):
        _back(console, question, target)
        return
    for scope in question["scopes"]:
        act = wording.name(f"{scope['action']}/{scope['target']}", target)
        keys = f", writes {printable(', '.join(scope['keys']))}" if scope["keys"] else ""
        console.print(f"    {act}{keys}")
        for lost in scope["lost"]:
            console.print(f"      [yellow]lost:[/] {printable(lost)}")
    for felt in about.get("blast", []):
        console.print(f"    felt: {printable(felt)}")


def _back(console: Console, question: Mapping[str, Any], target: Mapping[str, str]) -> None:
    """Print what a way back changes, now -> then, and what it does not."""
    about = question["about"]
    if "first" in about:
        console.print(f"    first: {printable(about['first'])}")
    steps = dict.fromkeys(step for step, *_ in about.get("changes", []))
    for step in steps:
        console.print(f"    undo {wording.name(step, target)}")
        for one, key, now, then in about["changes"]:
            if one == step:
                console.print(f"      {wording.change(key, now, then)}")
    for step, key, who in about.get("held", []):
        where = wording.name(step, target)
        console.print(f"    {where}: {printable(key)} stays, held by {printable(who)}")
    for why, names in wording.together((why, step) for step, why in about.get("gone", [])):
        console.print(f"    cannot come back: {wording.names(names, target)}: {printable(why)}")
    for step in about.get("stays", []):
        console.print(f"    stays, it cannot be undone: {wording.name(step, target)}")
    for lost in dict.fromkeys(text for s in question["scopes"] for text in s["lost"]):
        console.print(f"      [yellow]not given back:[/] {printable(lost)}")


def after(question: Mapping[str, Any]) -> str:
    """Return what goes on once the question is answered: a responder, or a command."""
    kind, _, rest = question["step"].partition("/")
    number = rest.partition("/")[0]
    if not question["step"].startswith(BACK):
        incident = question["incident"]
        return f"a running responder goes on at once; without one: stanch resume {incident}"
    return f"stanch {kind} {question['incident']} --key KEY" + (
        "" if number == "all" else f" --step {number}"
    )
