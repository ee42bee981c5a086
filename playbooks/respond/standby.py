"""Keeps a process ready for a database that goes away, and brings in what waits afterwards."""

import logging
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from playbooks.case.spool import Spool
from playbooks.case.spooling import ready
from playbooks.case.store import Store
from playbooks.errors import SpoolError
from playbooks.respond.emergency import Emergency
from playbooks.wiring.parts import Parts

log = logging.getLogger("stanch.spool")

# Seconds between two looks.
LOOK = 5.0


def prepared(parts: Parts, db: Store) -> Emergency:
    """Return what contains without the database, with this host's spool made where it is missing.

    Where none can be made, that is logged, and only the database takes alerts.
    """
    try:
        spool = ready(parts.settings, parts.random)
    except SpoolError as error:
        log.error("%s", error)
        spool = Spool(parts.settings.spool_path)
    emergency = Emergency(parts, db, spool)
    try:
        emergency.refresh()
    except SQLAlchemyError as error:
        log.error("nothing is known to act on: the database said %s", type(error).__name__)
    return emergency


def keep(emergency: Emergency, kick: Callable[[], None], ending: threading.Event) -> None:
    """Bring in what waits, and know what the guard must know, until `ending`."""
    while True:
        try:
            if emergency.bring_in():
                kick()
            emergency.refresh()
        except SpoolError as error:
            log.error("%s", error)
        except SQLAlchemyError as error:
            log.error("the database said %s; it is tried again", type(error).__name__)
        if ending.wait(LOOK):
            return
