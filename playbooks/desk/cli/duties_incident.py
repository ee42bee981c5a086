"""`stanch duties show` and `questions`: an incident's duties, where they stand, what is not known.

The first look derives them: an alert only opens the incident, and waits for no law.
"""

from typing import Annotated, Any

import typer

from playbooks.desk.cli.duties_known import refreshed
from playbooks.desk.cli.duties_wording import when
from playbooks.desk.cli.surroundings import Json, here, out, printable, show_json
from playbooks.duties.changes import date_of
from playbooks.duties.duty import DISCLAIMER, Duty
from playbooks.duties.moment import Moment, parse
from playbooks.duties.scope import anchor_tasks, questions
from playbooks.duties.shown import question_json, task_json
from playbooks.notification.looking import Look, look
from playbooks.notification.rules import rules
from playbooks.notification.standing import CLOSED, POSSIBLE
from playbooks.notification.subject import workers
from playbooks.notification.telling import duty_told, log_told

_SHOWN = 10


def show(
    incident: str,
    as_of: Annotated[
        str, typer.Option(help="What was known then, such as 2026-11-21T09:00Z.")
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="All that may be owed, too.")] = False,
    json: Json = False,
) -> None:
    """Show who is owed what by when, what was done about it, and what is still to be found out."""
    at = parse(as_of) if as_of else None
    if at is None:
        _, db, found = refreshed(incident)
    else:
        _, parts, db = here()
        found = db.read(lambda conn: look(conn, incident, rules(parts), at))
    if json:
        show_json(_json(found, at))
        return
    working = db.read(lambda conn: [one.id for one in workers(conn, incident)])
    _print(found, at, everything=everything)
    if not working:
        out().print(
            "nobody is reminded yet: stanch open --play notify-regulators --target "
            f"{incident} --reason WHY --key KEY"
        )
    out().print(f"[bold]{DISCLAIMER}[/]")


def questions_(incident: str, json: Json = False) -> None:
    """Ask what is still to be found out: the facts that settle most clocks first, then events."""
    _, _, found = refreshed(incident)
    duties = list(found.duties.values())
    if json:
        told = [question_json(q) for q in questions(duties)]
        tasks = [task_json(t) for t in anchor_tasks(duties)]
        show_json({"questions": told, "anchors_to_record": tasks, "notice": DISCLAIMER})
        return
    console = out()
    for task in anchor_tasks(duties):
        console.print(
            f"P1 --anchor {task.anchor}=TIME  {printable(task.means)} ({len(task.duties)} clocks; "
            f"the earliest would end {when(task.earliest)})"
        )
    for asked in questions(duties):
        console.print(
            f"--fact {asked.fact}=...  {printable(asked.ask)} Expected: "
            f"{printable(asked.expects)} ({asked.waiting} duties)"
        )
    console.print(f"now stanch duties record {incident} --fact K=V --why WHY --key KEY")
    console.print(f"[bold]{DISCLAIMER}[/]")


def _json(found: Look, at: Moment | None) -> dict[str, Any]:
    duties = list(found.duties.values())
    return {
        "incident": found.incident.id,
        "as_of": at.json() if at else None,
        "notice": DISCLAIMER,
        "lead": found.done.lead,
        "duties": [duty_told(found, duty) for duty in found.listed()],
        "questions": [question_json(q) for q in questions(duties)],
        "anchors_to_record": [task_json(t) for t in anchor_tasks(duties)],
        "log": [log_told(row) for row in found.rows],
        "unread": list(found.unread),
        "confirmed_rules_that_changed": sorted(found.confirmed.changed),
    }


def _print(found: Look, at: Moment | None, *, everything: bool) -> None:
    console = out()
    then = f" as of {when(at)}" if at else ""
    console.print(f"[bold]{found.incident.id}[/] {printable(found.incident.title)}{then}")
    by_state: dict[str, list[Duty]] = {}
    for duty in sorted(found.listed(), key=_order):
        by_state.setdefault(found.standing(duty.key).state, []).append(duty)
    for state, duties in by_state.items():
        if state not in (POSSIBLE, CLOSED):
            console.print(f"[bold]{state.replace('_', ' ')}[/] ({len(duties)})")
            for duty in duties:
                _line(found, duty)
    possible = by_state.get(POSSIBLE, [])
    shown = possible if everything else possible[:_SHOWN]
    if shown:
        console.print(f"[bold]may be owed[/], until a fact settles it ({len(possible)})")
    for duty in shown:
        _line(found, duty)
    if len(shown) < len(possible):
        console.print("  ... --all shows the rest; the questions below settle most")
    closed = [d for d in by_state.get(CLOSED, []) if found.standing(d.key).closed_how != "not_owed"]
    if closed:
        console.print(f"[bold]closed[/] ({len(closed)})")
    for duty in closed:
        console.print(f"  {duty.key} {found.standing(duty.key).closed_how.replace('_', ' ')}")
        _flags(found, duty)
    _open_ends(found)


def _line(found: Look, duty: Duty) -> None:
    console, date = out(), date_of(duty)
    kind = "" if duty.clock.conservative_due else ", our target" if duty.clock.target else ""
    if duty.clock.state == "not_started":
        kind = f", were it so; record {', '.join(duty.clock.missing)}"
    latest = duty.clock.legal_latest
    until = f", lawful until {when(latest)}" if latest and latest != date else ""
    console.print(
        f"  [bold]{duty.key}[/] by {when(date)}{kind}{until}; to {printable(duty.stage.recipient)}"
    )
    binds = "binding" if duty.binding else "not confirmed"
    source = duty.sources[0] if duty.sources else "no source"
    cited = f"{duty.regime.citation}; {duty.confidence}, {binds}; {source}"
    console.print(f"      {printable(cited)}")
    owner = found.done.of(duty.key).checks.get("owner")
    if owner:
        console.print(f"      owner {printable(owner.value)}")
    _flags(found, duty)


def _flags(found: Look, duty: Duty) -> None:
    for flag in found.standing(duty.key).flags:
        out().print(f"      [yellow]{printable(flag)}[/]")


def _open_ends(found: Look) -> None:
    console, duties = out(), list(found.duties.values())
    for name in found.unread:
        console.print(f"[yellow]the present rules cannot read {printable(name)} any more[/]")
    for duty, row in found.confirmed.changed.items():
        console.print(f"[yellow]{duty} changed since {printable(row.by)} confirmed it[/]")
    for task in anchor_tasks(duties)[:_SHOWN]:
        console.print(
            f"P1 record {task.anchor} ({printable(task.means)}): {len(task.duties)} clocks wait; "
            f"the earliest would end {when(task.earliest)}"
        )
    for asked in questions(duties)[:_SHOWN]:
        console.print(f"ask {asked.fact}: {printable(asked.ask)} ({asked.waiting} duties)")


def _order(duty: Duty) -> tuple[bool, float, str]:
    date = date_of(duty)
    return date is None, date.last.timestamp() if date else 0.0, duty.key
