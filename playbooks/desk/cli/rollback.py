"""`stanch rollback`: undo what an incident did, because it was a false positive."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

from playbooks.case import store
from playbooks.case.answers import Waiting
from playbooks.case.case import Case
from playbooks.case.sealing import checkpoint
from playbooks.case.undoing import Undo, plan, staying, undo
from playbooks.desk.cli import wording
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.wiring import people


def rollback(
    incident: str,
    key: Key,
    step: Annotated[
        int | None, typer.Option(help="Only this step; `stanch show` numbers them.")
    ] = None,
) -> None:
    """Show what undoing would change and ask; after another person's yes, undo it."""
    settings, parts, db = here()
    person, _ = people.who(settings, key)
    found = db.read(lambda conn: store.incident(conn, incident))
    case = Case(parts, db, found, _nothing, found.play)
    console = out()

    async def work() -> bool:
        undos = await plan(case, step)
        _show(undos, found.target)
        for name in staying(case, step):
            short = wording.name(name, found.target)
            console.print(f"[dim]stays, it cannot be undone:[/] {short}")
        if not undos:
            console.print("nothing is left to undo.")
            return True
        try:
            ends = await undo(case, undos, person, step)
        except Waiting as waiting:
            console.print("nothing was undone yet.")
            console.print(
                f"[yellow]Another person must answer:[/] stanch approve {waiting.question} "
                "--key KEY, then run this again."
            )
            return True
        for end in ends:
            name = wording.name(end.step, found.target)
            console.print(f"{'[red]left' if end.why else '[green]undone'}[/] {name}")
            if end.why:
                console.print(f"    {printable(end.why)}")
        return all(not end.why for end in ends)

    good = asyncio.run(work())
    checkpoint(db, parts)
    if not good:
        raise SystemExit(1)


async def _nothing(case: Case) -> None:
    """Stand in for a play: undoing enters none."""


def _show(undos: list[Undo], target: Mapping[str, str]) -> None:
    console = out()
    for one in undos:
        console.print(f"[bold]{wording.name(one.intent.step, target)}[/]")
        for key, (now, then) in one.keys.items():
            console.print(f"    {wording.change(key, now, then)}")
        for text in one.lost:
            console.print(f"    [dim]not given back: {printable(text)}[/]")
