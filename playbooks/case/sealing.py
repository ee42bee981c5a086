"""The verb seal: a signed checkpoint over everything so far, and what the code no longer says."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from evidence import ledger
from evidence.errors import BehindError
from evidence.ledger import SignedCheckpoint
from evidence.signer import HeadSigner
from playbooks.case import counting, store
from playbooks.case.store import Store
from playbooks.case.witnessing import witness
from playbooks.wiring.parts import Parts

if TYPE_CHECKING:
    from playbooks.case.case import Case


async def seal(case: "Case", kind: str) -> None:
    """Record where the incident stands, and sign. Raises when the ledger cannot commit."""
    if case.dry:
        return

    def work(conn: Connection) -> None:
        rows = [intent for intent, _ in store.steps(conn, case.incident.id)]
        body = {
            "seal": kind,
            "play": case.play,
            "entry": case.incident.entry,
            "steps": {i.step: i.phase for i in rows},
            # Done by an earlier version of the play, and not named by the present one.
            "orphans": [i.step for i in rows if case.named and i.step not in case.named],
            "residual": list(case.open_now(conn)),
        }
        case.record.note(conn, case.incident.id, "case.seal", body)

    case.store.commit(work)
    await case.call(lambda: _close(case.store, case.parts))


def _close(db: Store, parts: Parts) -> None:
    checkpoint(db, parts)
    counting.count(db, parts)
    anchor(db, parts)


def anchor(db: Store, parts: Parts) -> None:
    """Sign a checkpoint, and have others say that they saw it. Raises only where it is not signed.

    Takes seconds where a witness does not answer.
    """
    signed = checkpoint(db, parts)
    if signed is not None and parts.settings.witnesses:
        witness(db, parts.settings, signed)


def checkpoint(db: Store, parts: Parts) -> SignedCheckpoint | None:
    """Give every new entry its index, and sign the tree's head; return it, None for no entries.

    Raises ForkError when the ledger is smaller than, or another one than, what was signed before.
    """
    signer = parts.keys.log
    # What this process has just committed is to be in it, so another's turn is waited for.
    db.commit(lambda c: ledger.place(c, signer.verifier.name, wait=True))
    signed = _sign(db, signer)
    # Nobody else need wait for a transaction that would write nothing.
    if signed is not None and not db.read(lambda c: ledger.is_kept(c, signed)):
        db.commit(lambda c: ledger.keep(c, signed, now=parts.now()))
    return signed


def _sign(db: Store, signer: HeadSigner) -> SignedCheckpoint | None:
    try:
        return db.read(lambda c: ledger.sign_head(c, signer))
    except BehindError:
        # Another process may have placed and signed more since we looked. What it signed was
        # committed before, so a second look sees at least that, or entries have been lost.
        return db.read(lambda c: ledger.sign_head(c, signer))
