"""`stanch worker`: one more responder on the same database, without a door."""

import typer

from playbooks.desk.cli.staying import WithoutPrefect, answering, fit, leave, until_told
from playbooks.desk.cli.surroundings import here


def worker(without_prefect: WithoutPrefect = False) -> None:
    """Answer what is due, beside `stanch serve` or in its place, until told to stop."""
    _, parts, db = here()
    fit(parts)
    with answering(parts, db, prefect=not without_prefect) as responder:
        typer.echo("ready")
        until_told(responder)
    leave(responder)
