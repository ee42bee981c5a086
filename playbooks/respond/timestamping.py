"""Has the ledger's head stamped by outside clocks now and then, in a thread that nothing waits for.

A seal or an export is stamped within seconds; otherwise each authority is asked once in so many
minutes, and only where something new was recorded.
"""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from evidence.errors import EvidenceError
from playbooks.case import stamping
from playbooks.case.store import Store
from playbooks.errors import SettingsError
from playbooks.wiring import timestamp_terms
from playbooks.wiring.parts import Parts
from playbooks.wiring.timestamp_terms import Askable

log = logging.getLogger("stanch.timestamps")

# Seconds between two looks at whether anybody is to be asked.
LOOK = 2.0


def keep(parts: Parts, db: Store, ending: threading.Event) -> None:
    """Ask whoever is due, until `ending`. What goes wrong is logged, and tried again."""
    try:
        askable = timestamp_terms.authorities(parts.settings)
    except SettingsError as error:
        log.error("nothing is timestamped: %s", error)
        return
    while askable and not ending.wait(LOOK):
        once(parts, db, askable)


def once(parts: Parts, db: Store, askable: list[Askable]) -> None:
    """Ask whoever is due now."""
    minutes = parts.settings.timestamping.minutes
    try:
        names = db.read(lambda c: stamping.due(c, askable, parts.now(), minutes))
        for outcome in stamping.stamp(db, parts, askable, names):
            if outcome.failed:
                log.warning("no timestamp from %s: %s", outcome.authority, outcome.failed)
    except SQLAlchemyError as error:
        log.error("no timestamps: the database said %s", type(error).__name__)
    except EvidenceError as error:
        log.error("no timestamps: %s", error)
