"""Runs an incident's reflex and play: shown in Prefect where it takes the run, else without."""

import asyncio
import logging
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from playbooks.case import store
from playbooks.case.case import Step, plain
from playbooks.case.enter import Ending, enter
from playbooks.case.incident import Incident
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.errors import SettingsError, UnshownError
from playbooks.respond import plays
from playbooks.wiring.parts import Parts
from playbooks.wiring.prefect_server import Server, beside

if TYPE_CHECKING:
    from playbooks.case.play import Play

log = logging.getLogger("stanch.run")

# Prefect shows; it must not hold containment up. Past this the play is entered without it.
PATIENCE = 2.0
# Seconds that a command waits for Prefect to take the end of a play; nothing waits for it then.
LINGER = 10.0


def run(parts: Parts, db: Store, incident_id: str, *, prefect: bool, patience: float) -> Ending:
    """Enter the incident's play once, its reflex first, and return how it ended.

    A server of Prefect is started meanwhile where none is named, and ends with this.
    """
    incident = answerable(db, incident_id)
    with beside(parts.settings.home) if prefect else nullcontext() as server:
        made = plays.find(incident.play)
        return asyncio.run(_both(parts, db, incident_id, made, server, patience))


def answerable(db: Store, incident_id: str) -> Incident:
    """Return the incident. Raise SettingsError where no play answers it."""
    incident = db.read(lambda conn: store.incident(conn, incident_id))
    if not incident.play:
        raise SettingsError(f"{incident_id} has no play; work it by hand, or `stanch open` one.")
    return incident


async def _both(
    parts: Parts, db: Store, incident_id: str, made: "Play", server: Server | None, patience: float
) -> Ending:
    await reflex(parts, db, incident_id, made)
    if server is None:
        return await entered(parts, db, incident_id, made)
    from playbooks.case.play import drained

    if not await asyncio.to_thread(server.answers, patience):
        unshown(parts, db, incident_id, "its server did not answer in time")
        return await entered(parts, db, incident_id, made)
    try:
        return await shown(parts, db, incident_id, made, patience=patience, linger=LINGER)
    except UnshownError as error:
        unshown(parts, db, incident_id, str(error))
        return await entered(parts, db, incident_id, made)
    finally:
        await drained(LINGER)


async def reflex(
    parts: Parts, db: Store, incident_id: str, made: "Play", *, due: bool = False
) -> None:
    """Run the play's reflex, where it has one and the incident is pre-approved."""
    from playbooks.case.play import reflex_of

    body = reflex_of(made)
    incident = db.read(lambda conn: store.incident(conn, incident_id))
    if body is not None and not incident.hindrances:
        await enter(parts, db, incident_id, body, made.name, kind="reflex", due=due)


async def entered(
    parts: Parts,
    db: Store,
    incident_id: str,
    made: "Play",
    step: Step = plain,
    *,
    due: bool = False,
) -> Ending:
    """Enter the play as it is. `due` enters it only while there is work to be done."""
    from playbooks.case.play import body_of

    return await enter(parts, db, incident_id, body_of(made), made.name, step=step, due=due)


async def shown(
    parts: Parts,
    db: Store,
    incident_id: str,
    made: "Play",
    *,
    patience: float,
    linger: float,
    due: bool = False,
) -> Ending:
    """Enter the play as a flow run. Raise UnshownError where Prefect does not take it in time."""
    from playbooks.case.play import show

    entering = partial(entered, parts, db, incident_id, made, due=due)
    # Prefect knows a run by its number, and gives back a finished one where a number comes again.
    entry = db.commit(lambda conn: store.count_entry(conn, incident_id))
    return await show(made, incident_id, entry, entering, patience=patience, linger=linger)


def unshown(parts: Parts, db: Store, incident_id: str, why: str) -> None:
    """Record that an entry of the play cannot be seen in Prefect, and why."""
    record = Record("stanch", parts.now, parts.random)

    def work(conn: Connection) -> None:
        record.note(conn, incident_id, "play.unshown", {"why": why})

    db.commit(work)
    log.warning(
        "%s is not shown in Prefect: %s. It runs all the same. A server just started needs some "
        "seconds; PREFECT_API_URL names one that stays",
        incident_id,
        why,
    )
