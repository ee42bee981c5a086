"""Which heads somebody outside saw, and by when: up to there a stolen key is believed.

On a connection that the caller owns; only reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from evidence import ledger_schema as table
from evidence import timestamp_store
from evidence.cosignature import cosigner_vkey
from evidence.errors import KeyStatementError, TimestampError
from evidence.ledger_tree import SignedCheckpoint
from evidence.ledger_witness import witnessed
from evidence.note import checkpoint_text, unverified_checkpoint
from evidence.policy import Policy
from evidence.timestamp import Authority
from evidence.timestamp_check import check


@dataclass(frozen=True, slots=True)
class Outside:
    """Who counts: the policy of witnesses, if any, and how many of which authorities."""

    policy: Policy | None
    authorities: Sequence[Authority]
    quorum: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A head that was seen from outside: its size and root, by whom, and by when (aware)."""

    size: int
    root: bytes
    by: str
    at: datetime


def seen(conn: Connection, size: int, by: Outside) -> Seen | None:
    """Return by when a quorum of witnesses, or of authorities, saw the head of that size, or None.

    Raises:
        NoteError: when a cosignature that is kept does not fit.
    """
    note = conn.scalar(select(table.checkpoints.c.note).where(table.checkpoints.c.size == size))
    if note is None:
        return None
    head = unverified_checkpoint(note)
    policy = by.policy
    if policy is not None and witnessed(conn, SignedCheckpoint(head, note), policy).quorum:
        return Seen(size, head.root, "witnesses", _cosigned_at(conn, size, policy))
    text = checkpoint_text(head).encode()
    times = sorted(_times(conn, size, text, by.authorities))
    if by.authorities and len(times) >= by.quorum:
        return Seen(size, head.root, "timestamps", times[by.quorum - 1])
    return None


def newest_seen(conn: Connection, size: int, by: Outside) -> Seen | None:
    """Return the largest head of at most that size that was seen, or None."""
    tokens = {kept.size for kept in timestamp_store.tokens(conn, size)}
    given = table.cosignatures.c.size
    cosigned = set(conn.scalars(select(given).where(given <= size).distinct()))
    for one in sorted(tokens | cosigned, reverse=True):
        if found := seen(conn, one, by):
            return found
    return None


def must_be_seen(conn: Connection, size: int, by: Outside) -> Seen:
    """Return by when the head of that size was seen.

    Raises:
        KeyStatementError: when it was not, naming one that was.
    """
    if found := seen(conn, size, by):
        return found
    before = newest_seen(conn, size, by)
    what = (
        f"the newest one before is of {before.size} entries, seen by {before.by}: name that"
        if before
        else "nor any before. Without witnesses or timestamps nothing shows what stood in the "
        "ledger when; see docs/operations/witness.md and timestamps.md"
    )
    raise KeyStatementError(
        f"no quorum of witnesses or timestamp authorities saw a head of {size} entries; {what}"
    )


def _cosigned_at(conn: Connection, size: int, policy: Policy) -> datetime:
    given = table.cosignatures.c
    known = [cosigner_vkey(one) for one in policy.witnesses.values()]
    asked = select(given.cosigned_at).where(given.size == size, given.witness.in_(known))
    return datetime.fromtimestamp(max(conn.scalars(asked)), UTC)


def _times(
    conn: Connection, size: int, text: bytes, authorities: Sequence[Authority]
) -> list[datetime]:
    known = {one.name: one for one in authorities}
    found = []
    for kept in timestamp_store.tokens(conn, size):
        if kept.size == size and kept.authority in known:
            try:
                found.append(check(known[kept.authority], text, kept.asked, kept.answer).time)
            except TimestampError:
                # A token that was altered shows nothing; the ledger's own check tells of it.
                continue
    return found
