"""Has the ledger count its cases, so that a bundle can show that it holds the whole of one."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from evidence import ledger, ledger_heads
from evidence.timestamp_store import OUTSIDE
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts


def count(db: Store, parts: Parts) -> None:
    """Add the entry that counts, as the last of the ledger, unless it is there.

    Have the ledger signed before: to one that the signer refuses nothing is added.
    """
    if db.read(ledger_heads.is_last):
        return
    origin = parts.keys.log.verifier.name

    def work(conn: Connection) -> None:
        salt = parts.random(32)
        ledger_heads.count(conn, origin, "stanch", now=parts.now(), salt=salt)

    db.commit(work)


def due(conn: Connection, now: datetime, minutes: float) -> bool:
    """Return whether some entry has not been counted for so many minutes."""
    for leaf in ledger_heads.uncounted(conn):
        if leaf.kind not in OUTSIDE:
            return now - datetime.fromisoformat(leaf.record_time) >= timedelta(minutes=minutes)
    return False


def is_head(conn: Connection) -> bool:
    """Return whether the newest checkpoint ends with a count, so that no entry is between."""
    size = ledger.latest_checkpoint(conn).checkpoint.size
    found = ledger_heads.newest(conn, size)
    return found is not None and found.index == size - 1
