"""`stanch show`: one incident, or all."""

from typing import Annotated, Any

import typer
from rich.console import Console

from playbooks.case import indicators, store
from playbooks.case.gate import said
from playbooks.case.story import story
from playbooks.desk.cli import questions, timeline, wording
from playbooks.desk.cli.surroundings import Json, here, out, printable, show_json

# The ends of a way back: nothing of the play is to be done or answered any more.
OVER = ("rolled-back", *store.RELEASED)


def show(incident: Annotated[str, typer.Argument()] = "", json: Json = False) -> None:
    """Show an incident: what is still open, questions, steps before -> after, evidence."""
    _, _, db = here()
    if not incident:
        _list(db.read(store.incidents), as_json=json)
        if not json:
            for one in db.read(store.freezes):
                out().print(f"[red]frozen:[/] {printable(said(one))}")
        return
    told = db.read(lambda conn: story(conn, incident))
    if json:
        show_json(told)
        return
    told = wording.once(told)
    console = out()
    headline(console, told)
    _questions(console, told)
    _steps(console, told)
    _evidence(console, told)
    timeline.show(console, told)


def headline(console: Console, told: dict[str, Any]) -> None:
    """Print what it is, where it stands, and what the attacker may still have."""
    console.print(f"[bold]{told['id']}[/] {told['severity']} {printable(told['title'])}")
    says = f": {printable(told['says'])}" if told["says"] else ""
    console.print(f"status [bold]{told['status']}[/]{says}")
    target = told["target"]
    console.print(f"where  {wording.where(target)}")
    if told["frozen"]:
        console.print(f"[red]frozen:[/] {printable(told['frozen'])}")
    for kept in told["evidence"]:
        for one in kept.get("indicators", ()):
            console.print(f"[red]indicator:[/] {printable(indicators.said(one))}")
    if not told["play"]:
        console.print("no play answers this finding yet: work it by hand")
    if told["status"] in ("open", "proposed"):
        for reason in told["hindrances"]:
            console.print(f"  nothing by itself: {printable(reason)}")
    half = [str(s["number"]) for s in told["steps"] if s["phase"] in ("intended", "undoing")]
    if half:
        console.print(
            f"[red]half-way:[/] step {', '.join(half)}; `stanch resume {told['id']}` finishes "
            "what a crash left, and is refused while another process works on it"
        )
    elif (
        told["status"] == "partial"
        and not told["frozen"]
        and all(s["phase"] == "done" for s in told["steps"])
    ):
        console.print(f"[red]not all is done:[/] `stanch resume {told['id']}` goes on")
    # After a way back it is enough to say that all is open again.
    gone = " is undone, not in effect"
    for text in told["residual"]:
        if not (told["status"] in OVER and text.endswith(gone)):
            console.print(f"[yellow]still open:[/] {wording.name(text, target)}")


def _list(found: list[Any], *, as_json: bool) -> None:
    if as_json:
        rows = [{"id": i.id, "title": i.title, "status": i.status} for i in found]
        show_json(rows)
        return
    if not found:
        out().print("no incidents.")
    for i in found:
        says = f"  ({printable(i.says)})" if i.says.startswith("waiting") else ""
        out().print(f"{i.id}  {i.severity.value}  {i.status:30}  {printable(i.title)}{says}")


def _questions(console: Console, told: dict[str, Any]) -> None:
    for q in told["questions"]:
        what = questions.subject(q, told["target"])
        if q["state"] != "open" or told["status"] in OVER:
            state = "lapsed" if q["state"] == "open" else q["state"]
            by = f" by {printable(q['approver'])}" if q["approver"] else ""
            why = f" ({printable(q['reason'])})" if q["reason"] else ""
            console.print(f"{q['id']} {state}{by}: {what}{why}")
            continue
        console.print(f"[yellow]{q['id']} open[/], until {wording.clock(q['expires'])}: {what}")
        questions.detail(console, q, told["target"])
        console.print(f"    answer: stanch approve {q['id']} --key KEY   (or with --deny)")


def _steps(console: Console, told: dict[str, Any]) -> None:
    console.print("\n[bold]steps[/]")
    target = told["target"]
    for s in told["steps"]:
        verdict = s["verdict"] or ""
        number = f"{s['number']:3} {s['phase']:8} {verdict:10} {wording.name(s['step'], target)}"
        console.print(number.rstrip())
        for key, (before, after) in s["changes"].items():
            console.print(f"      {wording.change(key, before, after)}")
        for key, who in s["held"].items():
            console.print(f"      [yellow]held by {printable(who)}:[/] {printable(key)}")
        if s["result"]:
            console.print(f"      {printable(s['result'])}")
        elif not s["changes"]:
            console.print("      nothing was left to do")
        if s["error"]:
            console.print(f"      [red]{printable(s['error'])}[/]")
    for one in told["left"]:
        why = f"{printable(one['kind'])}: {printable(one['error'])}"
        console.print(f"  - not done ({why})  {wording.name(one['step'], target)}")
    if not told["steps"] and not told["left"]:
        console.print("  none")


def _evidence(console: Console, told: dict[str, Any]) -> None:
    console.print("\n[bold]evidence[/]")
    for kept in told["evidence"]:
        what = wording.name(kept["step"].removeprefix("keep/"), told["target"])
        missed = wording.folded([printable(m["error"]) for m in kept["missed"]])
        why = f" ({missed})" if missed else ""
        console.print(
            f"  {what}: {len(kept['artifacts'])} artifacts, {len(kept['missed'])} missed{why}"
        )
    if not told["evidence"]:
        console.print("  none")
    for later in told["follow_ups"] if told["status"] not in OVER else []:
        when = wording.clock(later["at"])
        console.print(
            f"  later ({printable(later['what'])}): at {when} by a running responder; without one: "
            f"stanch resume {told['id']}"
        )
