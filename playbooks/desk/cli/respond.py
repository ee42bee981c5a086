"""`stanch respond`: take a finding in and run its play."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.exc import SQLAlchemyError

from playbooks.case import store
from playbooks.case.acting import Planned
from playbooks.case.case import Case
from playbooks.case.incident import Incident
from playbooks.case.rehearsing import rehearse
from playbooks.case.spooling import cannot_commit
from playbooks.case.store import Store
from playbooks.desk.cli import wording
from playbooks.desk.cli.surroundings import Json, here, out, printable, show_json
from playbooks.desk.cli.told import tell_ending, tell_unaided
from playbooks.intake.read import read_alert
from playbooks.respond import plays
from playbooks.respond.run import PATIENCE, run
from playbooks.respond.scratch import scratch
from playbooks.respond.take import take
from playbooks.respond.unaided import contained
from playbooks.wiring.parts import Parts

WithoutPrefect = Annotated[
    bool, typer.Option("--without-prefect", help="Run the play without showing it in Prefect.")
]
Patience = Annotated[
    float, typer.Option(help="Seconds to wait for Prefect before going on without it.")
]


def respond(
    finding: Path,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    json: Json = False,
    without_prefect: WithoutPrefect = False,
    prefect_patience: Patience = PATIENCE,
) -> None:
    """Open or join the finding's incident and enter its play; enter again to go on."""
    _, parts, db = here()
    data = sys.stdin.buffer.read() if str(finding) == "-" else finding.read_bytes()
    alert = read_alert(data, received=parts.now())
    if dry_run:
        with scratch(parts) as (apart, empty):
            taken = take(apart, empty, alert)
            # A finding that no play fits is shown, and only a person can act on it.
            known = bool(taken.incident.play)
            planned = asyncio.run(rehearsed(apart, empty, taken.incident.id)) if known else []
            show_plan(taken.incident, planned, as_json=json)
        return
    try:
        taken = take(parts, db, alert)
        joined, ending = taken.incident, None
        if joined.play:
            ending = run(
                parts, db, joined.id, prefect=not without_prefect, patience=prefect_patience
            )
    except SQLAlchemyError as error:
        if not cannot_commit(error):
            raise
        tell_unaided(contained(parts, db, alert, error), as_json=json)
        return
    again = "" if taken.new else _known(joined, alert.count)
    tell_ending(db, joined.id, ending, as_json=json, again=again)


def _known(incident: Incident, count: int) -> str:
    if incident.status in ("rolled-back", *store.RELEASED):
        return (
            f"this finding (count {count}) belongs to {incident.id}, which is {incident.status}; "
            "nothing was done. If it is real after all, contain the host with `stanch open`."
        )
    return f"this finding (count {count}) belongs to {incident.id}; what was done is not done again"


async def rehearsed(parts: Parts, db: Store, incident_id: str) -> list[Planned]:
    """Return what the incident's play would do now."""
    from playbooks.case.play import body_of

    incident = db.read(lambda conn: store.incident(conn, incident_id))
    body = body_of(plays.find(incident.play))
    return await rehearse(Case(parts, db, incident, body, incident.play))


def show_plan(incident: Incident, planned: list[Planned], *, as_json: bool) -> None:
    """Print each act before -> wanted, who else feels it, and what cannot be given back."""
    hindrances = incident.hindrances
    # The reflex and the play's body name the same acts; each is done once.
    planned = list({one.step: one for one in planned}.values())
    if as_json:
        show_json({"hindrances": list(hindrances), "acts": [_as_json(p) for p in planned]})
        return
    console = out()
    console.print(f"[bold]dry run[/] {incident.severity.value} {printable(incident.title)}")
    console.print("nothing was touched and nothing was recorded; it would do:")
    for reason in hindrances:
        console.print(f"[yellow]would only propose:[/] {printable(reason)}")
    if not incident.play:
        console.print("nothing: no play answers this finding yet; work it by hand")
    for one in planned:
        may = {"yes": "[green]by itself[/]", "ask": "[yellow]after a yes[/]", "never": "[red]no[/]"}
        name = wording.name(one.step, incident.target)
        console.print(f"[bold]{name}[/]  {may[one.decision.may]}")
        for key in one.scope.keys:
            before, wanted = one.plan.before.get(key), one.plan.wanted.get(key)
            console.print(f"    {wording.change(key, before, wanted)}")
        why = [w for w in one.decision.why if w not in hindrances]
        for text in (*why, *one.plan.blast, *(f"lost: {x}" for x in one.plan.lost)):
            console.print(f"    [dim]{printable(text)}[/]")


def _as_json(one: Planned) -> dict[str, Any]:
    changes = {k: [one.plan.before.get(k), one.plan.wanted.get(k)] for k in one.scope.keys}
    return {
        "step": one.step,
        "may": one.decision.may,
        "why": list(one.decision.why),
        "changes": changes,
        "blast": list(one.plan.blast),
        "lost": list(one.plan.lost),
    }
