"""Publishes the ledger's newest head, with what witnesses said of it."""

from sqlalchemy import Connection

from evidence import ledger
from evidence.errors import LedgerError
from evidence.ledger import SignedCheckpoint
from evidence.ledger_witness import witnessed
from evidence.policy import parse_policy
from evidence.tiles_publish import Place, publish
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts
from playbooks.wiring.trusting import policy_of


def newest(db: Store, parts: Parts) -> SignedCheckpoint | None:
    """Return the newest head with its cosignatures; None before the first is signed."""
    policy = policy_of(parts.settings, parts.keys)

    def read(conn: Connection) -> SignedCheckpoint | None:
        try:
            signed = ledger.latest_checkpoint(conn)
        except LedgerError:
            return None
        return witnessed(conn, signed, parse_policy(policy)).signed if policy else signed

    return db.read(read)


def put(db: Store, signed: SignedCheckpoint, place: Place) -> bool:
    """Publish a head and the tiles that it needs; False where it was published before.

    Raises what `tiles_publish.publish` raises.
    """
    return publish(db.read, signed, place)
