"""`stanch show`: one incident, or all."""

from typing import Annotated, Any

import typer
from rich.console import Console

from playbooks.case import store
from playbooks.case.story import story
from playbooks.desk.cli.surroundings import Json, here, out, printable, show_json


def show(incident: Annotated[str, typer.Argument()] = "", json: Json = False) -> None:
    """Show an incident: steps before -> after, evidence, questions, what the attacker may have."""
    _, _, db = here()
    if not incident:
        _list(db.read(store.incidents), as_json=json)
        return
    told = db.read(lambda conn: story(conn, incident))
    if json:
        show_json(told)
        return
    console = out()
    console.print(f"[bold]{told['id']}[/] {told['severity']} {printable(told['title'])}")
    console.print(f"status [bold]{told['status']}[/] {printable(told['says'])}")
    console.print(f"opened {told['opened']}, contain by {told['contain_by']}")
    _steps(console, told["steps"])
    for kept in told["evidence"]:
        count, missed = len(kept["artifacts"]), len(kept["missed"])
        console.print(f"{printable(kept['step'])}: {count} artifacts, {missed} missed")
    for later in told["follow_ups"]:
        what = printable(later["what"])
        console.print(f"follow-up: {what}; `stanch resume {told['id']}` after {later['at']}")
    for q in told["questions"]:
        console.print(f"[yellow]{q['id']}[/] {q['state']}: {printable(q['step'])}")
    for text in told["residual"]:
        console.print(f"residual: {printable(text)}")
    _timeline(console, told["timeline"])


def _list(found: list[Any], *, as_json: bool) -> None:
    if as_json:
        rows = [{"id": i.id, "title": i.title, "status": i.status} for i in found]
        show_json(rows)
        return
    for i in found:
        out().print(f"{i.id}  {i.severity.value}  {i.status:22}  {printable(i.title)}")


def _steps(console: Console, steps: list[dict[str, Any]]) -> None:
    for s in steps:
        told = f"{s['number']:3} {s['phase']:8} {s['verdict'] or '':10} {printable(s['step'])}"
        console.print(told)
        for key, (before, after) in s["changes"].items():
            console.print(f"      {printable(key)}: {printable(before)} -> {printable(after)}")
        if s["error"]:
            console.print(f"      [red]{printable(s['error'])}[/]")


def _timeline(console: Console, entries: list[dict[str, Any]]) -> None:
    for e in entries:
        place = e["index"] if e["index"] is not None else "-"
        console.print(f"{e['at']}  {place!s:>5}  {printable(e['kind'])}  {printable(e['step'])}")
