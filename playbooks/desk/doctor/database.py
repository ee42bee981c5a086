"""The database: reachable, whole, of this version, with room, and its ledger signed."""

import os
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection

from evidence import ledger
from playbooks.case import migrating, store
from playbooks.case.store.condition import condition
from playbooks.case.store.health import Health, health
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place, lasted

MIB = 1 << 20
# What a storm of alerts may need before anybody looks, and what a single incident may.
LITTLE, HARDLY = 1024 * MIB, 128 * MIB
# Whoever serves signs at most a second late.
UNSIGNED = timedelta(minutes=1)


def database(place: Place) -> Iterator[Finding]:
    """Say what database it is, and whether it can be trusted with what comes next."""
    db = place.store()
    found = db.read(condition)
    for wrong in found.wrong:
        yield bad("database", wrong, "Restore it from a backup, or correct its configuration.")
    if found.schema != migrating.HEAD:
        older = found.schema in migrating.OLDER
        do = "Stop every Stanch, back it up, and run `stanch migrate`." if older else ""
        what = f"its schema is {found.schema or 'missing'}; this Stanch needs {migrating.HEAD}"
        yield bad("database", what, do or "Run `stanch init`, or the Stanch that it belongs to.")
    elif not found.wrong:
        checked = ", checked" if found.checked else ""
        size = f"{found.size / MIB:.0f} MiB"
        yield ok("database", f"{found.kind}, schema {found.schema}, {size}{checked}")


def room(place: Place) -> Iterator[Finding]:
    """Say whether the disk has room for evidence, and for the database where it is a file."""
    at = os.statvfs(place.settings.home)
    free = at.f_bavail * at.f_frsize
    told = f"{free / MIB:,.0f} MiB free in {place.settings.home}"
    do = "Make room: without it nothing is recorded, and containment falls back on the spool."
    if free < HARDLY:
        yield bad("disk", told, do)
    elif free < LITTLE:
        yield warn("disk", told, do)
    else:
        yield ok("disk", told)


def signed(place: Place) -> Iterator[Finding]:
    """Say whether what was recorded is provable: covered by a signed checkpoint."""
    db = place.store()

    def read(conn: Connection) -> tuple[Health, timedelta | None]:
        at = store.clock(conn, place.now)
        found = health(conn, at)
        return found, at - found.checkpoint if found.checkpoint else None

    found, age = db.read(read)
    since = f"signed {lasted(age)} ago" if age is not None else "never signed"
    if found.unintegrated and (age is None or age > UNSIGNED):
        yield warn(
            "checkpoint",
            f"{found.unintegrated} entries are recorded and not yet provable; {since}",
            "Is `stanch serve` running? It signs within a second; so does any play that ends.",
        )
    else:
        yield ok("checkpoint", f"{found.tree_size} entries, {since}")


def replayed(place: Place) -> Iterator[Finding]:
    """Say whether the ledger still is what its checkpoints say."""
    root = place.store().read(ledger.replay).hex()[:16]
    yield ok("ledger", f"replayed, root {root}")
