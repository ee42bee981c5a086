"""Exports a case after others have vouched for all of it, as far as they answer."""

import logging
from pathlib import Path

from sqlalchemy import Connection

from evidence import bundle
from evidence.bundle import Exported
from evidence.errors import ForkError
from evidence.withheld import NOTHING, Withheld
from playbooks.case import counting, stamping
from playbooks.case.sealing import anchor, checkpoint
from playbooks.case.store import Store
from playbooks.wiring import timestamp_terms
from playbooks.wiring.parts import Parts
from playbooks.wiring.trusting import policy_of

log = logging.getLogger("stanch.export")

# Others may write while it is signed; their entries would stand after the count.
TRIES = 3


def export(
    parts: Parts, db: Store, case: str, out: Path, withheld: Withheld = NOTHING
) -> tuple[Exported, list[stamping.Outcome]]:
    """Write the bundle of a case into the new folder `out`; return also what came of timestamps.

    Takes seconds more where an authority or a witness does not answer. Raises what `bundle.export`
    raises, and SettingsError where what is pinned of others cannot be read.
    """
    policy = policy_of(parts.settings, parts.keys)
    askable = timestamp_terms.authorities(parts.settings)
    outcomes: list[stamping.Outcome] = []
    try:
        names = db.read(lambda conn: stamping.lacking(conn, askable, case)) if askable else []
        outcomes = stamping.stamp(db, parts, askable, names)
        # After the stamps, so that the head that witnesses see holds the entries that note them.
        checkpoint(db, parts)
        for _ in range(TRIES):
            counting.count(db, parts)
            anchor(db, parts)
            if db.read(counting.is_head):
                break
    except ForkError as error:
        # A ledger that was rolled back or altered is signed no more, but what was signed before
        # still proves what it covers, and just now somebody will want it.
        log.error("nothing new is signed: %s", error)
    pinned = [one.pinned for one in askable]

    def write(conn: Connection) -> Exported:
        signer = parts.keys.manifest
        return bundle.export(conn, parts.locker, case, signer, out, pinned, policy, withheld)

    # Read only: copying artifacts must not hold up who writes.
    return db.read(write), outcomes
