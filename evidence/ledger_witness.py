"""What witnesses said of the ledger's checkpoints, kept beside them."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from evidence import ledger_schema as table
from evidence.cosignature import Cosigner, cosigned, cosigner_vkey
from evidence.ledger_tree import SignedCheckpoint
from evidence.note import unverified_checkpoint
from evidence.policy import Policy
from evidence.witness_client import Cosignature


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A signed checkpoint whose note has the cosignatures, and whether they are a quorum."""

    signed: SignedCheckpoint
    quorum: bool


def add_cosignature(conn: Connection, given: Cosignature) -> None:
    """Keep a cosignature on the caller's transaction, unless there is one for its size."""
    there = table.cosignatures.c
    key = cosigner_vkey(given.cosigner)
    known = select(there.size).where(there.size == given.size, there.witness == key)
    if conn.execute(known).first() is None:
        row = {"size": given.size, "witness": key, "line": given.line, "cosigned_at": given.at}
        conn.execute(insert(table.cosignatures), row)


def cosigned_last(conn: Connection, cosigner: Cosigner) -> tuple[int, int] | None:
    """Return the largest size that a witness cosigned, and when (seconds since 1970), or None."""
    there = table.cosignatures.c
    row = conn.execute(
        select(there.size, there.cosigned_at)
        .where(there.witness == cosigner_vkey(cosigner))
        .order_by(there.size.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def witnessed(conn: Connection, signed: SignedCheckpoint, policy: Policy) -> Witnessed:
    """Return a checkpoint with what the policy's witnesses said of it.

    Raises:
        NoteError: when a cosignature that is kept does not fit the checkpoint.
    """
    there = table.cosignatures.c
    lines = conn.execute(
        select(there.line)
        .where(there.size == signed.checkpoint.size)
        .where(there.witness.in_([cosigner_vkey(one) for one in policy.witnesses.values()]))
        .order_by(there.witness)
    ).scalars()
    note = signed.note + "".join(lines)
    quorum = policy.asks and policy.met(cosigned(note, policy.witnesses.values()))
    return Witnessed(SignedCheckpoint(signed.checkpoint, note), quorum)


def checkpoint_over(conn: Connection, entries: int, policy: Policy) -> Witnessed | None:
    """Return the newest checkpoint over at least so many entries that a quorum cosigned, or None.

    Raises:
        NoteError: when what is kept is malformed or does not fit.
    """
    checkpoints, given = table.checkpoints.c, table.cosignatures.c
    asked = select(given.size).where(given.size >= entries).distinct()
    rows = conn.execute(
        select(checkpoints.note)
        .where(checkpoints.size >= entries, checkpoints.size.in_(asked))
        .order_by(checkpoints.size.desc())
    ).scalars()
    for note in rows:
        found = witnessed(conn, SignedCheckpoint(unverified_checkpoint(note), note), policy)
        if found.quorum:
            return found
    return None
