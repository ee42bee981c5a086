"""Finds what nobody works on any more, and makes it due again; reads our tables alone."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from playbooks.case import holding, store
from playbooks.case.enter import finish_half_way
from playbooks.case.store import Store, lost
from playbooks.errors import BusyError, LostLeaseError
from playbooks.review.escalating import escalate
from playbooks.wiring.parts import Parts

log = logging.getLogger("stanch.reconciler")

# Seconds between two looks for leases that were lost.
LOOK = 5.0
# How long work that is done is kept, to be looked into.
KEPT = timedelta(days=30)
WHY = "lost lease"


def keep(parts: Parts, db: Store, kick: Callable[[], None], ending: threading.Event) -> None:
    """Make lost leases due again until `ending`; escalate reviews that nobody decides."""
    while True:
        try:
            if found := reconcile(parts, db):
                log.warning("nobody works on %s any more; entered again", ", ".join(found))
                kick()
                asyncio.run(finish(parts, db, found))
            escalate(parts, db)
        except SQLAlchemyError as error:
            log.error("the database said %s; it is tried again", type(error).__name__)
        if ending.wait(LOOK):
            return


async def boot(parts: Parts, db: Store, alive: Callable[[str], bool] = holding.alive) -> None:
    """Take to its end what a crash left half-way: before any play, freeze or approval.

    Then make due what stands begun though nobody holds it, as after an import or a restore.
    """
    await finish(parts, db, db.read(lost.begun), alive)

    def work(conn: Connection) -> None:
        begun = lost.begun(conn)
        _due_again(parts, conn, [i for i in lost.unheld(conn) if i in begun])

    db.commit(work)


async def finish(
    parts: Parts,
    db: Store,
    incidents: Iterable[str],
    alive: Callable[[str], bool] = holding.alive,
) -> None:
    """Take what stands half-way to its end, in those of the incidents that nobody works on."""
    for incident in incidents:
        try:
            if count := await finish_half_way(parts, db, incident, alive):
                log.warning("%s: %s steps that stood half-way were finished", incident, count)
        except (BusyError, LostLeaseError):
            continue  # Somebody lives who works on it.
        except Exception as error:
            # One account that cannot be reached must not keep the others waiting; the entry that
            # follows tries again.
            log.error("%s: not finished: %s", incident, type(error).__name__)


def reconcile(parts: Parts, db: Store) -> list[str]:
    """Make due what lost its holder and has no work; return the incidents that lost theirs."""

    def work(conn: Connection) -> list[str]:
        now = store.clock(conn, parts.now)
        store.forget_work(conn, now - KEPT)
        found = lost.abandoned(conn, now, holding.alive, holding.ours)
        _due_again(parts, conn, found)
        return found

    return db.commit(work)


def _due_again(parts: Parts, conn: Connection, incidents: list[str]) -> None:
    now = store.clock(conn, parts.now)
    for incident in incidents:
        if not store.last_work(conn, incident, now):
            store.add_work(conn, incident, WHY, now)
            store.count_entry(conn, incident)
