"""Runs an incident's play: shown in Prefect where it takes the run, without it where not."""

import asyncio
import logging
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from playbooks.case import store
from playbooks.case.enter import Ending, enter
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.errors import SettingsError
from playbooks.respond import plays
from playbooks.wiring.parts import Parts
from playbooks.wiring.prefect_server import running

if TYPE_CHECKING:
    from playbooks.case.play import Play

log = logging.getLogger("stanch.run")

# Prefect shows; it must not hold containment up. Past this the play is entered without it.
PATIENCE = 2.0


def run(parts: Parts, db: Store, incident_id: str, *, prefect: bool, patience: float) -> Ending:
    """Enter the incident's play once and return how it ended."""
    incident = db.read(lambda conn: store.incident(conn, incident_id))
    if not incident.play:
        raise SettingsError(f"{incident_id} has no play; work it by hand, or `stanch open` one.")
    # Prefect knows a run by its number, and gives back a finished one where a number comes again.
    entry = db.commit(lambda conn: store.count_entry(conn, incident_id))
    if not prefect:
        return asyncio.run(_plain(parts, db, incident_id, plays.find(incident.play)))
    with running(parts.settings.home, patience) as url:
        made = plays.find(incident.play)
        if url is None:
            _unshown(parts, db, incident_id, "its server did not answer in time")
            return asyncio.run(_plain(parts, db, incident_id, made))
        return asyncio.run(_shown(parts, db, incident_id, made, entry, patience))


async def _plain(parts: Parts, db: Store, incident_id: str, made: "Play") -> Ending:
    from playbooks.case.play import body_of

    return await enter(parts, db, incident_id, body_of(made), made.name)


async def _shown(
    parts: Parts, db: Store, incident_id: str, made: "Play", entry: int, patience: float
) -> Ending:
    from playbooks.case.play import ending, show

    try:
        return ending(await show(made, incident_id, entry, patience))
    except Exception as error:
        # Whatever Prefect raises, it does not decide whether the host is contained; and where the
        # play itself broke off, entering it again raises what broke it.
        _unshown(parts, db, incident_id, f"Prefect did not run it: {type(error).__name__}")
        return await _plain(parts, db, incident_id, made)


def _unshown(parts: Parts, db: Store, incident_id: str, why: str) -> None:
    record = Record("stanch", parts.now, parts.random)

    def work(conn: Connection) -> None:
        record.note(conn, incident_id, "play.unshown", {"why": why})

    db.commit(work)
    log.warning(
        "%s is not shown in Prefect: %s. It runs all the same; to see it, set PREFECT_API_URL to a "
        "server that runs",
        incident_id,
        why,
    )
