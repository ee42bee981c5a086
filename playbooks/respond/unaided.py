"""Contains a host for a person whose command found a database that cannot commit."""

import asyncio

from playbooks.case.enter import Ending
from playbooks.case.store import Store
from playbooks.intake.accepted import Accepted, Arrival, Came
from playbooks.intake.alert import Alert
from playbooks.respond import standby
from playbooks.wiring.parts import Parts


def contained(parts: Parts, db: Store, alert: Alert, error: Exception) -> Ending:
    """Take the alert into the spool, run the reflex over it, and return how that ended.

    `error` is what the database said. Nothing is imported here: `stanch serve` and `stanch worker`
    do. Raises SpoolError, or what the database says, where the spool has no room either.
    """
    return asyncio.run(_contained(parts, db, alert, error))


async def _contained(parts: Parts, db: Store, alert: Alert, error: Exception) -> Ending:
    emergency = standby.prepared(parts, db)
    (taken,) = emergency.accepting([Arrival(alert, Came("by hand"))])
    if not isinstance(taken, Accepted):
        raise taken
    # Where the alert could be taken in, there was room for that and not for its play.
    runs = emergency.waiting() or [emergency.began(taken.incident, error)]
    return [await emergency.contain(run) for run in runs][-1]
