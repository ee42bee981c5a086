"""`stanch serve`: take alerts in at a door of this host, and answer them, until told to stop."""

import logging
from typing import Annotated

import typer

from playbooks.desk.cli.staying import WithoutPrefect, answering, fit, leave, until_told
from playbooks.desk.cli.surroundings import here

log = logging.getLogger("stanch.serve")

Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Port of 127.0.0.1; 0 takes any free one.")
]


def serve(port: Port = None, without_prefect: WithoutPrefect = False) -> None:
    """Take alerts in from queues and over HTTP on this host; answer them until told to stop."""
    # What it takes to listen is of no use to the commands that do not.
    from playbooks.desk import door, queues

    settings, parts, db = here()
    fit(parts)
    bound = door.bind(settings.serve.port if port is None else port)
    with (
        answering(parts, db, prefect=not without_prefect) as responder,
        door.listens(door.door(parts, db, responder), bound),
        queues.polled(parts, db, responder),
    ):
        log.info(
            "alerts come in at %s (senders: %s) and from queues (%s); %s keeps them",
            door.url(bound) + "/intake/generic",
            ", ".join(sorted(settings.sources)) or "none",
            ", ".join(sorted(settings.queues)) or "none",
            parts.engine.dialect.name,
        )
        typer.echo(f"ready {door.url(bound)}")
        until_told(responder)
    leave(responder)
