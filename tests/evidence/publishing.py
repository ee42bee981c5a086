"""A log that is published, and what tests of that need."""

import sqlite3
from dataclasses import replace
from pathlib import Path

from evidence import ledger
from evidence.ledger import Entry, SignedCheckpoint
from evidence.tiles_follow import follow
from evidence.tiles_publish import Place, publish
from evidence.verify_trust import read_trust
from tests.evidence.chamber import Chamber


def grow(chamber: Chamber, count: int) -> SignedCheckpoint:
    """Add so many entries and return the signed head."""
    now = chamber.tick()
    with chamber.begin() as conn:
        for number in range(count):
            entry = Entry("change", f"INC-{number % 3}", {"n": number}, "a", now)
            ledger.append(conn, entry, record_time=now, salt=chamber.chance.randbytes(32))
        ledger.integrate(conn, chamber.log, now=now)
        return ledger.latest_checkpoint(conn)


def published(chamber: Chamber, place: Place, signed: SignedCheckpoint) -> bool:
    def read(work):
        with chamber.engine.execution_options(read_only=True).begin() as conn:
            return work(conn)

    return publish(read, signed, place)


def follows(chamber: Chamber, folder: Path, last: str | None = None) -> str:
    return follow(folder, read_trust(chamber.trust), last).note


def restored(chamber: Chamber) -> Chamber:
    """Return a deployment on a copy of the database as it is now, with the same keys."""
    path = chamber.folder / f"copy-{chamber.chance.getrandbits(32)}.db"
    with sqlite3.connect(chamber.folder / "ledger.db") as source:
        source.execute("VACUUM INTO ?", (str(path),))
    return replace(chamber, engine=ledger.sqlite_engine(path))
