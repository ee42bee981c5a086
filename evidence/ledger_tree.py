"""Gives entries their place in the Merkle tree, signs its head, and proves what it holds."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, bindparam, func, insert, literal, select, update

from evidence import ledger_schema as table
from evidence.errors import ForkError, LedgerCorruptError, LedgerError, ProofError
from evidence.leaf import stamp
from evidence.ledger_engine import in_dialect
from evidence.merkle import (
    EMPTY_ROOT,
    Node,
    consistency_proof,
    extend,
    fold,
    inclusion_proof,
    leaf_hash,
    peaks_of,
    verify_consistency,
)
from evidence.note import (
    Checkpoint,
    NoteSigner,
    checkpoint_text,
    sign_note,
    unverified_checkpoint,
)
from evidence.signer import HeadSigner

# One integrator at a time: the key of an advisory lock, which PostgreSQL keeps per database. SQLite
# has one writer at a time anyway.
_KEY = int.from_bytes(hashlib.sha256(b"stanch ledger integrator").digest()[:8], signed=True)
_LOCK = literal(_KEY, BigInteger)
_PLACE = "UPDATE ledger_entries SET idx = ? WHERE id = ?"
_BUILD = "INSERT INTO ledger_nodes (level, pos, hash) VALUES (?, ?, ?)"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint and the signed note it was read from."""

    checkpoint: Checkpoint
    note: str


def place(conn: Connection, origin: str, *, wait: bool = False) -> Checkpoint | None:
    """Give every waiting entry its index and extend the tree; return its head, not yet signed.

    Runs inside a write transaction of the caller (BEGIN IMMEDIATE, READ COMMITTED), one integrator
    at a time. Returns None when nothing waits, or when another process integrates just now; that
    one may not see what was committed a moment ago. With `wait`, this one's turn is awaited.

    Raises:
        ForkError: when the stored tree is not the one signed last.
        LedgerCorruptError: when a waiting leaf does not have its stored hash.
    """
    if not _take_turn(conn, wait):
        return None
    node = _stored(conn)
    size = tree_size(conn)
    old = _signed_last(conn, origin, size)
    peaks = peaks_of(size, node)
    waiting = conn.execute(
        select(table.entries.c.id, table.entries.c.leaf, table.entries.c.leaf_hash)
        .where(table.entries.c.idx.is_(None))
        .order_by(table.entries.c.id)
    ).all()
    if not waiting:
        _refuse_fork(old, size, fold(peaks), node)
        return None
    places, built = [], []
    for index, (row_id, data, hashed) in enumerate(waiting, size):
        if leaf_hash(data) != hashed:
            raise LedgerCorruptError(f"ledger row {row_id}: its leaf does not have its stored hash")
        places.append((index, row_id))
        for level, digest in enumerate(extend(peaks, index, hashed), 1):
            built.append((level, index >> level, digest))
    conn.exec_driver_sql(in_dialect(conn, _PLACE), places)
    if built:
        conn.exec_driver_sql(in_dialect(conn, _BUILD), built)
    checkpoint = Checkpoint(origin, size + len(waiting), fold(peaks))
    _refuse_fork(old, checkpoint.size, checkpoint.root, node)
    return checkpoint


def sign_head(conn: Connection, signer: HeadSigner) -> SignedCheckpoint | None:
    """Return the signed head of the tree as committed, None while it is empty and never was more.

    Only reads, and must see only what is committed: what is signed cannot be taken back.

    Raises:
        BehindError: when a larger head was signed before; a new transaction may see that one.
        ForkError: when the tree does not extend the one that was signed last.
    """
    node = _stored(conn)
    size = tree_size(conn)
    head = Checkpoint(signer.verifier.name, size, fold(peaks_of(size, node)))
    note = signer.sign(head, lambda old, new: consistency_proof(old, new, node))
    return SignedCheckpoint(head, note) if size else None


def head_at(conn: Connection, origin: str, size: int) -> Checkpoint:
    """Return the head that the tree had at a size, as its nodes have it now.

    Raises:
        LedgerCorruptError: when the tree is smaller or a node is missing.
    """
    return Checkpoint(origin, size, fold(peaks_of(size, _stored(conn))))


def signed_last(conn: Connection, origin: str) -> Checkpoint:
    """Return the head that was signed last as the database has it; the empty one for none."""
    mine = table.signed.c.origin == origin
    row = conn.execute(select(table.signed.c.size, table.signed.c.root).where(mine)).one_or_none()
    return Checkpoint(origin, 0, EMPTY_ROOT) if row is None else Checkpoint(origin, *row)


def is_kept(conn: Connection, signed: SignedCheckpoint) -> bool:
    """Return whether a head of this size is stored."""
    size = signed.checkpoint.size
    there = select(table.checkpoints.c.size).where(table.checkpoints.c.size == size)
    return conn.execute(there).first() is not None


def keep(conn: Connection, signed: SignedCheckpoint, *, now: datetime) -> None:
    """Store a signed head on the caller's transaction, unless it is there."""
    head = signed.checkpoint
    if is_kept(conn, signed):
        return
    conn.execute(
        insert(table.checkpoints),
        {"size": head.size, "root": head.root, "note": signed.note, "signed_at": stamp(now)},
    )
    mine = (table.signed.c.origin == head.origin) & (table.signed.c.size < head.size)
    conn.execute(update(table.signed).where(mine).values(size=head.size, root=head.root))


def integrate(
    conn: Connection, signer: NoteSigner, *, now: datetime, wait: bool = False
) -> Checkpoint | None:
    """Place what waits, sign the new head and keep it, all on one transaction; return the head.

    For a signer without memory: if the transaction is rolled back, so is what it signed.

    Raises:
        ForkError, LedgerCorruptError: as `place` does.
    """
    head = place(conn, signer.verifier.name, wait=wait)
    if head is not None:
        keep(conn, SignedCheckpoint(head, sign_note(checkpoint_text(head), signer)), now=now)
    return head


def latest_checkpoint(conn: Connection) -> SignedCheckpoint:
    """Return the newest checkpoint.

    Raises:
        LedgerError: when nothing was integrated yet.
    """
    note = conn.execute(
        select(table.checkpoints.c.note).order_by(table.checkpoints.c.size.desc()).limit(1)
    ).scalar_one_or_none()
    if note is None:
        raise LedgerError("the ledger has no checkpoint; integrate it first")
    return SignedCheckpoint(unverified_checkpoint(note), note)


def inclusion(conn: Connection, index: int, size: int) -> list[bytes]:
    """Return the audit path of entry `index` in the tree of `size` entries.

    Raises:
        ProofError: when the index is not in a tree of that size.
        LedgerCorruptError: when the tree is smaller or a node is missing.
    """
    return inclusion_proof(index, size, _stored(conn))


def consistency(conn: Connection, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of `new` entries extends that of `old`.

    Raises:
        ProofError: when `old` is larger than `new`.
        LedgerCorruptError: when the tree is smaller or a node is missing.
    """
    return consistency_proof(old, new, _stored(conn))


def hold_tree(conn: Connection) -> None:
    """Let nobody integrate until this transaction ends, unless it sees one state anyway."""
    if conn.dialect.name != "postgresql":
        return
    isolation = conn.scalar(select(func.current_setting("transaction_isolation")))
    if isolation == "read committed":
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def tree_size(conn: Connection) -> int:
    """Return how many entries have their place in the tree."""
    return int(
        conn.execute(select(func.coalesce(func.max(table.entries.c.idx) + 1, 0))).scalar_one()
    )


def _take_turn(conn: Connection, wait: bool) -> bool:
    """Become the one that integrates until this transaction ends; return whether it is so."""
    if conn.dialect.name != "postgresql":
        return True
    if wait:
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        return True
    return bool(conn.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))))


def _stored(conn: Connection) -> Node:
    leaf_at = select(table.entries.c.leaf_hash).where(table.entries.c.idx == bindparam("at"))
    node_at = select(table.nodes.c.hash).where(
        table.nodes.c.level == bindparam("on"), table.nodes.c.pos == bindparam("at")
    )

    def node(level: int, index: int) -> bytes:
        query, values = (node_at, {"on": level, "at": index}) if level else (leaf_at, {"at": index})
        found: bytes | None = conn.execute(query, values).scalar_one_or_none()
        if found is None:
            raise LedgerCorruptError(f"the ledger has no tree node at level {level}, index {index}")
        return found

    return node


def _signed_last(conn: Connection, origin: str, size: int) -> Checkpoint:
    rows = conn.execute(select(table.signed)).all()
    if not rows and size == 0:
        # From now on it is known that there is a signer, so that its heads cannot be forgotten.
        conn.execute(insert(table.signed), {"origin": origin, "size": 0, "root": EMPTY_ROOT})
        return Checkpoint(origin, 0, EMPTY_ROOT)
    for known, signed_size, root in rows:
        if known == origin:
            if signed_size > size:
                raise ForkError(
                    f"the ledger holds {size} entries but {signed_size} were signed: "
                    "it was truncated or an old copy was restored. Do not sign; compare backups"
                )
            return Checkpoint(origin, signed_size, root)
    raise ForkError(f"the ledger was not signed as {origin!r} before; use its own origin and key")


def _refuse_fork(old: Checkpoint, size: int, root: bytes, node: Node) -> None:
    try:
        proof = consistency_proof(old.size, size, node)
        verify_consistency(old.size, size, old.root, root, proof)
    except ProofError as error:
        raise ForkError(
            f"the tree of {size} entries does not extend the {old.size} signed before; "
            "stored entries were altered. Do not sign; compare backups"
        ) from error
