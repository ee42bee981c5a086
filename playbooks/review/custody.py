"""Takes what a review was decided from, and what came of it, into the evidence locker."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from evidence import ledger
from evidence.deposit import KIND, Acquisition, deposit
from evidence.sources.item import Item
from playbooks.case import locking
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts

SOURCE = "access_review"


def keep(
    parts: Parts, db: Store, review: str, place: str, items: list[Item], since: datetime
) -> list[dict[str, Any]]:
    """Store items and return the bodies of their ledger entries, which `note` then writes.

    The review must have an entry in the ledger by now. `since` is when their collection began.
    """
    custody = locking.custody(parts, db, review)
    pseudonym = db.read(lambda conn: ledger.pseudonym(conn, review))
    about = Acquisition(SOURCE, place, pseudonym, since, parts.now())
    return [deposit(custody, item, about) for item in items]


def note(record: Record, conn: Connection, review: str, bodies: list[dict[str, Any]]) -> None:
    """Write the ledger entries of stored items."""
    for body in bodies:
        record.note(conn, review, KIND, body)
