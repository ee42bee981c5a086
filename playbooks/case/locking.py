"""Locks a case's artifacts in a store that can: from the first moment, and after each statement."""

import logging
from dataclasses import replace
from importlib.metadata import version

from sqlalchemy import Connection

from evidence.custody.locks import Unsettled, settle
from evidence.custody.record import every_case, view
from evidence.custody.state import CaseCustody
from evidence.deposit import Custody
from evidence.errors import CustodyError, EvidenceError
from evidence.s3_store import S3Store
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts

log = logging.getLogger("stanch.locking")


def custody(parts: Parts, db: Store, case: str) -> Custody:
    """Return where a case's items go and who signs for them.

    In a store with locks they are under the case's hold and retention from the first moment.
    """
    made = Custody(
        parts.locker, parts.keys.manifest, parts.keys.wrap, version("stanch"), parts.random
    )
    if not isinstance(parts.locker, S3Store):
        return made
    held, until = _whole(db.read(lambda conn: view(conn, case)))
    return replace(made, locker=parts.locker.locking(held=held, until=until))


def late(parts: Parts, db: Store, case: str, custody: Custody) -> None:
    """Lock what was just recorded, where a statement about the case came in between.

    Never raises for the store: what is kept is recorded, and `stanch custody check` locks it.
    """
    store = custody.locker
    if not isinstance(store, S3Store):
        return
    try:
        if _whole(db.read(lambda conn: view(conn, case))) != (store.held, store.until):
            locked(parts, db, case)
    except EvidenceError as error:
        log.error("%s: not locked in the store as the ledger says: %s", case, error)


def locked(parts: Parts, db: Store, case: str) -> None:
    """Tell the store what the ledger says of a case's holds and retention, and read it back.

    Raises:
        CustodyError: naming what is not locked so, or what the store answered.
    """
    for problem in unsettled(parts, db, case):
        raise CustodyError(
            f"it is recorded, but artifact {problem.artifact_id} is not locked in the store as the "
            f"ledger says: {problem.what}. `stanch custody check {case}` tries again"
        )


def unsettled(parts: Parts, db: Store, case: str) -> list[Unsettled]:
    """Tell the store, as `locked`; return what is still not so. A folder is told nothing.

    Raises:
        CustodyError: when the store does not answer.
    """
    locks = parts.locker.locks
    if locks is None:
        return []

    def everything(conn: Connection) -> list[CaseCustody]:
        return [view(conn, one) for one in every_case(conn)]

    state = db.read(lambda conn: view(conn, case))
    try:
        return settle(state, locks, lambda: db.read(everything))
    except EvidenceError as error:
        raise CustodyError(
            f"what the ledger says of holds and retention is recorded, and the store was not told "
            f"all of it: {error}. `stanch custody check {case}` tells it again"
        ) from error


def _whole(state: CaseCustody) -> tuple[bool, str | None]:
    """Return whether the whole case is under hold, and until when all of it is kept."""
    held = any(h.artifacts is None and h.released is None for h in state.holds.values())
    return held, state.retain_until
