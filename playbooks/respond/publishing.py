"""Publishes each head of the ledger soon after it is signed, in a thread nothing waits for."""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from evidence.errors import EvidenceError
from evidence.tiles_publish import Place
from playbooks.case import publishing
from playbooks.case.store import Store
from playbooks.errors import SettingsError
from playbooks.wiring.parts import Parts

log = logging.getLogger("stanch.publishing")

# Seconds between two looks at whether there is a new head.
LOOK = 1.0


def keep(parts: Parts, db: Store, ending: threading.Event) -> None:
    """Publish until `ending`, and what is new then. What goes wrong is logged, and tried again."""
    place = parts.publishes()
    if place is None:
        return
    done, said = "", ""
    while True:
        last = ending.wait(LOOK)
        done, failed = once(parts, db, place, done)
        # Once, not every second while it lasts.
        if failed and failed != said:
            log.error("the ledger is not published: %s", failed)
        said = failed
        if last:
            return


def once(parts: Parts, db: Store, place: Place, done: str) -> tuple[str, str]:
    """Publish the newest head unless its note is `done`; return what is, and what went wrong."""
    try:
        signed = publishing.newest(db, parts)
        if signed is None or signed.note == done:
            return done, ""
        publishing.put(db, signed, place)
    except SQLAlchemyError as error:
        return done, f"the database said {type(error).__name__}"
    except (EvidenceError, SettingsError) as error:
        return done, str(error)
    return signed.note, ""
