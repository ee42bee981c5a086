"""One screen that a security lead understands."""

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from playbooks.drills.drill import Drill

# What a lead asks of a release: the claims that answer it.
RELEASE = {
    "forged, stale and replayed requests are refused": "and none starts anything",
    "sessions from before the release stay denied": "sessions from before stay denied",
    "the host's new sessions work": "new sessions work",
    "the denial ends by itself when the old sessions have": "the denial ends with the old sessions",
}


def show(console: Console, drill: Drill) -> None:
    """Print the finding, each step, the attacker, the evidence, the way back, the score."""
    told, seen = drill.told, drill.seen
    console.rule("[bold]Stanch drill: a compromised host on the practice range")
    console.print(f"finding   {escape(told.get('title', '-'))}  severity {told.get('severity')}")
    show_steps(console, told)
    table = Table(box=None, pad_edge=False)
    for column in ("whoever holds the host's credentials or sits on it can", "before", "after"):
        table.add_column(column)
    for kind in ("attacker", "network"):
        for what, could in seen.get(f"{kind} before", {}).items():
            table.add_row(what, can(could), can(seen.get(f"{kind} after", {}).get(what)))
    outlives = seen.get("shell after")
    after = (
        "?" if outlives is None else "[yellow]yes, until idle[/]" if outlives else "[green]no[/]"
    )
    table.add_row("use a shell that stands already", "[red]yes[/]", after)
    console.print(table)
    works = all(seen.get("sibling", {"": False}).values())
    console.print(
        f"sibling   with the same role: {'[green]works[/]' if works else '[red]BROKEN[/]'}"
    )
    show_evidence(console, told, seen)
    console.print(f"status    [bold]{escape(str(told.get('status')))}[/]; still open:")
    for text in told.get("residual", []):
        console.print(f"  - {escape(text)}")
    same = seen.get("host after") == seen.get("host before")
    back = "[green]exactly as it was[/]" if same else "[red]NOT as it was[/]"
    console.print(f"rollback  approved by another person; the host is {back}")
    console.print("second    the same host again, reported by a SIEM, signed; then released:")
    for text, name in RELEASE.items():
        console.print(f"  {text:58} {_so(drill, name)}")


def show_steps(console: Console, told: dict[str, Any]) -> None:
    """Print each step of an incident and what it changed."""
    for step in told.get("steps", []):
        mark = "[green]done[/]" if step["verdict"] == "verified" else "[red]open[/]"
        changes = [_change(k, *v) for k, v in step["changes"].items()]
        made = [s["id"] for s in (step["result"] or {}).get("snapshots", [])]
        otherwise = "nothing was left to do" if step["result"] is None else "done, for good"
        said = changes or [", ".join(made) or otherwise]
        console.print(f"{mark}  {step['step'].partition('/')[0]:27}  {escape(said[0])}")
        for more in said[1:]:
            console.print(f"{'':35}{escape(more)}")


def show_evidence(console: Console, told: dict[str, Any], seen: dict[str, Any]) -> None:
    """Print what was kept, and what the offline verifier says of it and of a tampered copy."""
    kept = [a for e in told.get("evidence", []) for a in e["artifacts"]]
    missed = [m for e in told.get("evidence", []) for m in e["missed"]]
    console.print(f"evidence  {len(kept)} artifacts, {len(missed)} missed; for example")
    for one in kept[:2]:
        console.print(f"  sha256 {one['stored_sha256'][:24]}...  {escape(one['name'])}")
    verdict, tampered = seen.get("verdict", {}), seen.get("tampered", {})
    console.print(f"offline   {escape(str(verdict.get('status')))}; tampered copy: ", end="")
    console.print(escape(str(tampered.get("status"))))
    for problem in tampered.get("problems", [])[:1]:
        where = _short(str(problem.get("file", "-")).rpartition("/")[2])
        said = str(problem.get("what", "-")).partition(":")[0]
        console.print(f"  caught  {escape(where)} {escape(said)}")


def _change(key: str, before: Any, after: Any) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        # Of two maps, only what differs.
        differs = [k for k in after if before.get(k) != after[k]]
        return f"{key}: " + ", ".join(_arrow(before.get(k), after[k]) for k in differs)
    return f"{key}: {_arrow(before, after)}"


def _arrow(before: Any, after: Any) -> str:
    return f"{_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _so(drill: Drill, name: str) -> str:
    held = {claim.name: claim.ok for claim in drill.score.claims}.get(name)
    return {True: "[green]yes[/]", False: "[red]NO[/]", None: "?"}[held]


def can(could: bool | None) -> str:
    """Return whether somebody can, in colour: what an attacker can is bad."""
    return {True: "[red]yes[/]", False: "[green]no[/]", None: "?"}[could]
