"""Computes the whole ledger again from its stored leaves, and says what does not fit."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, func, select

from evidence import ledger_schema as table
from evidence.errors import LedgerCorruptError, NoteError
from evidence.heads import KIND as HEADS
from evidence.ledger_counts import check_counts
from evidence.ledger_engine import in_dialect
from evidence.ledger_tree import hold_tree, tree_size
from evidence.merkle import EMPTY_ROOT, extend, fold, leaf_hash, node_hash, peaks_of
from evidence.note import unverified_checkpoint

# Leaves read at a time: a power of two, so that each full chunk is one complete subtree.
CHUNK = 1 << 15

_CHUNK_OF_LEAVES = (
    "SELECT idx, leaf, leaf_hash FROM ledger_entries WHERE idx >= ? AND idx < ? ORDER BY idx"
)
_RUN_OF_NODES = (
    "SELECT hash FROM ledger_nodes WHERE level = ? AND pos >= ? AND pos < ? ORDER BY pos"
)
_COUNTS = f'"kind":"{HEADS}"'.encode()


def replay(conn: Connection) -> bytes:
    """Compute the tree again from stored leaves and return its 32-byte root.

    Compares every leaf hash, node and checkpoint, what was signed last, and each count of the cases
    (heads.py), on the way. Reads one state: begin the transaction with `read_only=True`, else
    nobody integrates while this runs.

    Raises:
        LedgerCorruptError: naming the first entry, node or checkpoint that does not fit.
    """
    hold_tree(conn)
    heads = _heads(conn)
    height = CHUNK.bit_length() - 1
    high: list[bytes] = []
    root, size = fold(high), 0
    counts: list[int] = []
    _check_head(heads, size, root)
    for number, rows in enumerate(_chunks(conn)):
        levels = _levels(_leaf_hashes(rows, size))
        counts += [index for index, data, _ in rows if _COUNTS in data]
        for at in sorted(at for at in heads if size < at <= size + len(rows)):
            _check_head(heads, at, _root(high, levels, at - size))
        root = _root(high, levels, len(rows))
        for level, hashes in enumerate(levels[1:], 1):
            _compare_nodes(conn, level, size >> level, hashes)
        if len(rows) == CHUNK:
            for above, digest in enumerate(extend(high, number, levels[height][0]), 1):
                _compare_nodes(conn, height + above, number >> above, [digest])
        size += len(rows)
    _refuse_loose_ends(conn, heads, size)
    check_counts(conn, counts)
    return root


def _chunks(conn: Connection) -> Iterator[list[Any]]:
    at = 0
    # By ranges, so that one reader of a huge ledger holds no cursor open for long.
    while rows := _fetch(conn, _CHUNK_OF_LEAVES, (at, at + CHUNK)):
        yield rows
        at += CHUNK


def _fetch(conn: Connection, query: str, values: tuple[int, ...]) -> list[Any]:
    # The driver's own tuples: a million rows take half the time.
    with conn.exec_driver_sql(in_dialect(conn, query), values) as result:
        return list(result.cursor.fetchall())


def _leaf_hashes(rows: list[Any], start: int) -> list[bytes]:
    hashes = []
    for place, (index, data, hashed) in enumerate(rows, start):
        if index != place:
            raise LedgerCorruptError(f"ledger entry {place} is missing; found {index} instead")
        # SQLite lets an intruder store text where bytes belong.
        if not isinstance(data, bytes) or leaf_hash(data) != hashed:
            raise LedgerCorruptError(f"ledger entry {index}: its leaf was altered")
        hashes.append(hashed)
    return hashes


def _levels(hashes: list[bytes]) -> list[list[bytes]]:
    """Return the complete nodes over a chunk's leaves, level by level."""
    levels = [hashes]
    while len(below := levels[-1]) > 1:
        levels.append([node_hash(*two) for two in zip(below[::2], below[1::2], strict=False)])
    return levels


def _root(high: list[bytes], levels: list[list[bytes]], count: int) -> bytes:
    """Return the root over full chunks `high` and the first `count` leaves of the next."""
    return fold([*high, *peaks_of(count, lambda level, index: levels[level][index])])


def _heads(conn: Connection) -> dict[int, bytes]:
    heads: dict[int, bytes] = {}
    for size, root, note in conn.execute(
        select(table.checkpoints.c.size, table.checkpoints.c.root, table.checkpoints.c.note)
    ):
        try:
            stated = unverified_checkpoint(note)
        except NoteError as error:
            raise LedgerCorruptError(f"checkpoint of size {size}: {error}") from error
        if (stated.size, stated.root) != (size, root):
            raise LedgerCorruptError(f"checkpoint of size {size}: its note says something else")
        heads[size] = root
    for size, root in conn.execute(select(table.signed.c.size, table.signed.c.root)):
        # Of size 0 while the first entries have their places and no head is signed yet.
        if heads.get(size) != root and (size, root) != (0, EMPTY_ROOT):
            raise LedgerCorruptError(f"the head signed last, of size {size}, has no checkpoint")
    return heads


def _check_head(heads: dict[int, bytes], size: int, root: bytes) -> None:
    if size in heads and heads[size] != root:
        raise LedgerCorruptError(
            f"checkpoint of size {size}: the entries before it lead to another root"
        )


def _compare_nodes(conn: Connection, level: int, first: int, hashes: list[bytes]) -> None:
    after = first + len(hashes)
    stored = [row[0] for row in _fetch(conn, _RUN_OF_NODES, (level, first, after))]
    if stored != hashes:
        raise LedgerCorruptError(
            f"tree nodes {first} to {after - 1} of level {level} do not follow from the entries"
        )


def _refuse_loose_ends(conn: Connection, heads: dict[int, bytes], size: int) -> None:
    if indexed := tree_size(conn) - size:
        raise LedgerCorruptError(f"ledger entry {size} is missing; {indexed} more places follow it")
    newest = max(heads, default=0)
    signed = conn.execute(select(func.max(table.signed.c.size))).scalar_one()
    # Entries have their places a moment before a head over them is signed and kept.
    if newest > size or (size and signed != newest):
        raise LedgerCorruptError(
            f"the ledger has {size} entries, its newest checkpoint {newest}, "
            f"and {'none' if signed is None else signed} were signed"
        )
    expected = sum(size >> level for level in range(1, size.bit_length()))
    found = conn.execute(select(func.count()).select_from(table.nodes)).scalar_one()
    if found != expected:
        raise LedgerCorruptError(f"the ledger has {found} tree nodes; {expected} follow from it")
