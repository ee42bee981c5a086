"""What `stanch rollback` and `stanch release` have in common: show, ask, then go the way back."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from playbooks.case import store
from playbooks.case.answers import Waiting
from playbooks.case.case import Case
from playbooks.case.incident import Incident
from playbooks.case.releasing import narrowing
from playbooks.case.sealing import checkpoint
from playbooks.case.undoing import Undo, Undone, staying
from playbooks.case.way_back import Verb, begun, go_back, planned
from playbooks.desk.cli import wording
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.wiring import people

Step = Annotated[int | None, typer.Option(help="Only this step; `stanch show` numbers them.")]
Reason = Annotated[
    str, typer.Option(help="Why; whoever approves reads it, and the ledger keeps it.")
]


def go(verb: Verb, incident: str, key: Path, step: int | None, reason: str) -> None:
    """Show what it would change and ask; after another person's yes, do it.

    Exit status 0: done, or asked; 1: something was left, or a person or the guard said no.
    """
    settings, parts, db = here()
    person, _ = people.who(settings, key)
    found = db.read(lambda conn: store.incident(conn, incident))
    case = Case(parts, db, found, _nothing, found.play)
    console = out()

    async def work() -> bool:
        undos = await planned(case, verb, step)
        _show(case, verb, undos, step)
        if not undos and not begun(case):
            console.print("nothing is left to undo.")
            return True
        try:
            ends = await go_back(case, undos, person, step, verb, reason=reason)
        except Waiting as waiting:
            console.print(
                f"[bold]asked, and nothing was changed yet.[/] Another person must answer: "
                f"stanch approve {waiting.question} --key KEY"
            )
            number = f" --step {step}" if step else ""
            console.print(f"then   stanch {verb} {incident}{number} --key KEY   (does it)")
            return True
        for end in ends:
            _tell(end, found)
        now = db.read(lambda conn: store.incident(conn, incident))
        console.print(f"status [bold]{now.status}[/]: {printable(now.says)}")
        return all(not end.why for end in ends)

    good = asyncio.run(work())
    checkpoint(db, parts)
    if not good:
        raise SystemExit(1)


async def _nothing(case: Case) -> None:
    """Stand in for a play: the way back enters none."""


def _tell(end: Undone, of: Incident) -> None:
    console, name = out(), wording.name(end.step, of.target)
    if end.why:
        console.print(f"[red]left[/] {name}")
        console.print(f"    {printable(end.why)}")
    elif end.held == (of.id,):
        console.print(f"[yellow]narrowed[/] {name}")
    elif end.held:
        console.print(f"[yellow]held by {', '.join(end.held)}[/] {name}")
    elif end.gone:
        console.print(f"[yellow]gone[/] {name}")
        console.print(f"    {printable(end.gone)}")
    else:
        console.print(f"[green]undone[/] {name}")


def _show(case: Case, verb: Verb, undos: list[Undo], step: int | None) -> None:
    console, target = out(), case.incident.target
    if verb == "release" and narrowing(case, undos):
        console.print(
            "[bold]first[/] the denial is narrowed to sessions issued before the release; it is "
            "taken away once the last of them has run out"
        )
    for why, names in wording.together((u.gone, u.intent.step) for u in undos if u.gone):
        console.print(f"[yellow]cannot come back:[/] {wording.names(names, target)}")
        console.print(f"    {printable(why)}")
    for one in undos:
        if one.gone and not (one.keys or one.held):
            continue
        console.print(f"[bold]{wording.name(one.intent.step, target)}[/]")
        for key, (now, then) in one.keys.items():
            console.print(f"    {wording.change(key, now, then)}")
        for key, who in one.held.items():
            console.print(f"    {printable(key)}: stays as it is, held by {who}")
        if not (one.keys or one.held or one.gone):
            console.print("    nothing was changed by it")
        for text in one.lost:
            console.print(f"    [dim]not given back: {printable(text)}[/]")
    for name in staying(case, step):
        console.print(f"[dim]stays, it cannot be undone:[/] {wording.name(name, target)}")
