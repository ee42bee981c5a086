"""Signs a checkpoint over what was committed, at most a second later; counts the cases at times."""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from evidence.errors import EvidenceError
from playbooks.case import counting, sealing
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts

log = logging.getLogger("stanch.integrator")

# Seconds between two looks; signing takes a few milliseconds.
LOOK = 0.5


def integrate(parts: Parts, db: Store, ending: threading.Event) -> None:
    """Integrate what waits until `ending`, and what is left then. One process does so at a time."""
    while not ending.wait(LOOK):
        once(parts, db)
    once(parts, db)


def once(parts: Parts, db: Store) -> None:
    """Sign a checkpoint if anything waits for one. What goes wrong is logged, and tried again."""
    try:
        sealing.checkpoint(db, parts)
        minutes = parts.settings.heads_minutes
        if db.read(lambda conn: counting.due(conn, parts.now(), minutes)):
            counting.count(db, parts)
            sealing.checkpoint(db, parts)
    except SQLAlchemyError as error:
        log.error("no checkpoint: the database said %s", type(error).__name__)
    except EvidenceError as error:
        # A fork or a damaged leaf: nothing more is signed until a person has looked.
        log.error("no checkpoint: %s", error)
