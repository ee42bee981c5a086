"""Computes the whole ledger again from its stored leaves, and says what does not fit."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, func, select

from evidence import ledger_schema as table
from evidence.errors import LedgerCorruptError, NoteError
from evidence.ledger_tree import tree_size
from evidence.merkle import extend, fold, leaf_hash
from evidence.note import unverified_checkpoint

CHUNK = 1 << 15


def replay(conn: Connection) -> bytes:
    """Compute the tree again from stored leaves and return its 32-byte root.

    Compares every leaf hash, node and checkpoint, and what was signed last, on the way.

    Raises:
        LedgerCorruptError: naming the first entry, node or checkpoint that does not fit.
    """
    heads = _heads(conn)
    peaks: list[bytes] = []
    size = 0
    _check_head(heads, 0, peaks)
    for chunk in _leaves(conn):
        made: defaultdict[int, list[bytes]] = defaultdict(list)
        start = size
        for index, data, hashed in chunk:
            if index != size:
                raise LedgerCorruptError(f"ledger entry {size} is missing; found {index} instead")
            # SQLite lets an intruder store text where bytes belong.
            if not isinstance(data, bytes) or leaf_hash(data) != hashed:
                raise LedgerCorruptError(f"ledger entry {index}: its leaf was altered")
            for level, digest in enumerate(extend(peaks, size, hashed), 1):
                made[level].append(digest)
            size += 1
            if size in heads:
                _check_head(heads, size, peaks)
        _compare_nodes(conn, made, start)
    _refuse_loose_ends(conn, heads, size)
    return fold(peaks)


def _leaves(conn: Connection) -> Iterator[list[tuple[Any, Any, Any]]]:
    at = 0
    while True:
        # By ranges, so that one reader of a huge ledger holds no cursor open for long.
        rows = conn.execute(
            select(table.entries.c.idx, table.entries.c.leaf, table.entries.c.leaf_hash)
            .where(table.entries.c.idx >= at, table.entries.c.idx < at + CHUNK)
            .order_by(table.entries.c.idx)
        ).all()
        if not rows:
            return
        yield [(index, data, hashed) for index, data, hashed in rows]
        at += CHUNK


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
        if heads.get(size) != root:
            raise LedgerCorruptError(f"the head signed last, of size {size}, has no checkpoint")
    return heads


def _check_head(heads: dict[int, bytes], size: int, peaks: list[bytes]) -> None:
    if size in heads and heads[size] != fold(peaks):
        raise LedgerCorruptError(
            f"checkpoint of size {size}: the entries before it lead to another root"
        )


def _compare_nodes(conn: Connection, made: dict[int, list[bytes]], start: int) -> None:
    for level, hashes in made.items():
        first = start >> level
        stored = conn.execute(
            select(table.nodes.c.hash)
            .where(table.nodes.c.level == level)
            .where(table.nodes.c.pos >= first, table.nodes.c.pos < first + len(hashes))
            .order_by(table.nodes.c.pos)
        )
        if list(stored.scalars()) != hashes:
            raise LedgerCorruptError(
                f"tree nodes {first} to {first + len(hashes) - 1} of level {level} "
                "do not follow from the entries"
            )


def _refuse_loose_ends(conn: Connection, heads: dict[int, bytes], size: int) -> None:
    if indexed := tree_size(conn) - size:
        raise LedgerCorruptError(f"ledger entry {size} is missing; {indexed} more places follow it")
    if size and max(heads, default=0) != size:
        raise LedgerCorruptError(
            f"the ledger has {size} entries, its newest checkpoint {max(heads, default=0)}"
        )
    expected = sum(size >> level for level in range(1, size.bit_length()))
    found = conn.execute(select(func.count()).select_from(table.nodes)).scalar_one()
    if found != expected:
        raise LedgerCorruptError(f"the ledger has {found} tree nodes; {expected} follow from it")
