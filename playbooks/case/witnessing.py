"""Has witnesses cosign the ledger's head. What they say is kept; that they say nothing is logged.

Nothing waits for a witness longer than a few seconds, and no containment waits for one at all.
"""

import logging
import threading
import time
from dataclasses import dataclass

from sqlalchemy import Connection

from evidence import ledger
from evidence.cosignature import parse_cosigner
from evidence.errors import BehindError, EvidenceError, ForkError
from evidence.ledger import SignedCheckpoint
from evidence.ledger_witness import add_cosignature, cosigned_last
from evidence.witness_client import Cosignature, ask, poster
from playbooks.case.store import Store
from playbooks.wiring.settings import Settings
from playbooks.wiring.witness_terms import Witness

log = logging.getLogger("stanch.witness")

# Seconds: for each wait of one witness, and for all of them together.
SILENCE, PATIENCE = 4.0, 8.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking a witness: the size that it cosigned, or why not.

    `refused` is whether it holds that the ledger was rolled back, or is another one.
    """

    name: str
    size: int | None = None
    why: str = ""
    refused: bool = False


def witness(db: Store, settings: Settings, signed: SignedCheckpoint) -> list[Outcome]:
    """Ask every witness at once to cosign; keep what they say and log what they do not.

    Raises only what the database does.
    """
    found: dict[str, Outcome] = {}
    given: list[Cosignature] = []

    def one(name: str, terms: Witness) -> None:
        found[name] = asked(db, name, terms, signed, given)

    # Daemons: one that hangs must not hold up a process that ends.
    threads = [
        threading.Thread(target=one, args=(name, terms), name=f"witness {name}", daemon=True)
        for name, terms in settings.witnesses.items()
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0))
    kept = tuple(given)
    if kept:
        db.commit(lambda conn: _keep(conn, kept))
    late = f"no answer within {PATIENCE:.0f} s"
    outcomes = [found.get(name) or Outcome(name, why=late) for name in settings.witnesses]
    for outcome in outcomes:
        if outcome.refused:
            log.error("witness %s refuses: %s", outcome.name, outcome.why)
        elif outcome.why:
            log.warning("witness %s: %s", outcome.name, outcome.why)
    return outcomes


def asked(
    db: Store, name: str, terms: Witness, signed: SignedCheckpoint, given: list[Cosignature]
) -> Outcome:
    """Ask one witness; add its cosignature to `given`."""
    try:
        try:
            cosignature = _ask(db, terms, signed)
        except BehindError as error:
            # Somebody else of ours may have had a later head cosigned meanwhile.
            newest = db.read(ledger.latest_checkpoint)
            if newest.checkpoint.size < error.size:
                raise
            cosignature = _ask(db, terms, newest)
    except ForkError as error:
        return Outcome(name, why=str(error), refused=True)
    except EvidenceError as error:
        return Outcome(name, why=str(error))
    except Exception as error:
        # Whatever else: it must neither stop the case nor be taken for a cosignature.
        return Outcome(name, why=f"asking it failed: {type(error).__name__}")
    given.append(cosignature)
    return Outcome(name, cosignature.size)


def _keep(conn: Connection, given: tuple[Cosignature, ...]) -> None:
    for cosignature in given:
        add_cosignature(conn, cosignature)


def _ask(db: Store, terms: Witness, signed: SignedCheckpoint) -> Cosignature:
    cosigner = parse_cosigner(terms.vkey)
    post = poster(terms.url, str(terms.ca) if terms.ca else None, SILENCE)
    last = db.read(lambda conn: cosigned_last(conn, cosigner))

    def prove(old: int, new: int) -> list[bytes]:
        return db.read(lambda conn: ledger.consistency(conn, old, new))

    return ask(cosigner, post, signed.note, prove, last[0] if last else 0)
