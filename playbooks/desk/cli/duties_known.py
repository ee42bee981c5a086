"""What the commands on an incident's duties start from, and the words that they share."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from playbooks.case.store import Store
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.duties.duty import DISCLAIMER
from playbooks.notification.looking import Look
from playbooks.notification.recording import Recorded, record, refresh
from playbooks.wiring import people
from playbooks.wiring.parts import Parts

Why = Annotated[str, typer.Option("--why", help="Why; it stands in the log and the ledger.")]
Evidence = Annotated[str, typer.Option("--evidence", help="What it rests on: a reference.")]
# So many differences are printed; `stanch duties show` has the rest.
_SHOWN = 20
_WORDS = {"no_longer_owed": "no longer owed", "redated": "has another date"}


def refreshed(incident: str) -> tuple[Parts, Store, Look]:
    """Return the incident's duties, derived now; what that changed is written first."""
    _, parts, db = here()
    return parts, db, refresh(parts, db, incident)


def recorded(
    incident: str, key: Path, entries: Sequence[tuple[str, Mapping[str, Any]]]
) -> Recorded:
    """Record what the person of the key says, and print what it changed."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    made = record(parts, db, incident, person, secret, entries)
    for row in made.rows:
        out().print(f"recorded {row.number}: {row.kind}, signed by {printable(row.by)}")
    differences = made.moved.differences
    for duty, (what, before, now) in list(differences.items())[:_SHOWN]:
        dates = f"{before or '-'} -> {now or '-'}"
        out().print(f"  {duty} {_WORDS.get(what, what)}: {printable(dates)}")
    if len(differences) > _SHOWN:
        more = len(differences) - _SHOWN
        out().print(f"  and {more} more: stanch duties show {incident}")
    for row_ in made.moved.rows:
        for flag in row_.body["flags"]:
            out().print(f"  [yellow]{row_.duty}: {printable(flag)}[/]")
    out().print(f"[bold]{DISCLAIMER}[/]")
    return made


def said(why: str, evidence: str = "", **more: Any) -> dict[str, Any]:
    """Return an entry's body without what was not given."""
    body = {"why": why, "evidence": evidence} | more
    return {name: value for name, value in body.items() if value not in ("", None, [], {})}
