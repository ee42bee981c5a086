"""`stanch review apply`: carry decisions out, as acts that are approved and can be undone."""

import asyncio
from typing import Annotated

import typer
from sqlalchemy import Connection

from playbooks.case.incident import Incident
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.desk.cli.respond import Patience, WithoutPrefect
from playbooks.desk.cli.surroundings import Json, Key, here, out, printable
from playbooks.desk.cli.told import tell_ending
from playbooks.respond.opening import opened
from playbooks.respond.run import PATIENCE, run
from playbooks.review.applying import batch, carried
from playbooks.review.errors import ReviewError
from playbooks.wiring import people


def apply(
    review: Annotated[str, typer.Argument(help="The campaign, REV-...")],
    key: Key,
    json: Json = False,
    without_prefect: WithoutPrefect = False,
    prefect_patience: Patience = PATIENCE,
) -> None:
    """Open an incident that carries out what was decided; a second person allows it.

    It is journalled, read back and can be rolled back like any other: stanch rollback INC-...
    """
    settings, parts, db = here()
    person, _ = people.who(settings, key)
    made = asyncio.run(batch(parts, db, review, person))
    if not json:
        for row, why in made.left.items():
            out().print(f"[yellow]not now[/] {row}: {printable(why)}")
    if not made.openings:
        if made.left:
            raise ReviewError(
                f"{len(made.left)} rows of {review} wait; nothing else is to be done."
            )
        out().print("nothing is to be done: no row was decided but to be kept.")
        return
    record = Record(person, parts.now, parts.random)

    def work(conn: Connection) -> list[Incident]:
        found = []
        for opening, rows in made.openings:
            incident = opened(record, conn, opening, {"review": review}, "by hand")
            carried(conn, record, review, incident.id, rows)
            found.append(incident)
        return found

    incidents = db.commit(work)
    checkpoint(db, parts)
    # All are run before any is told of: telling of one that could not be done leaves with 1.
    endings = [
        run(parts, db, i.id, prefect=not without_prefect, patience=prefect_patience)
        for i in incidents
    ]
    for incident, ending in zip(incidents, endings, strict=True):
        tell_ending(db, incident.id, ending, as_json=json)
