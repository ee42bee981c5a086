"""Publishes the ledger as tiles, so that anybody can mirror it and notice a fork or a rollback.

Tiles come before the checkpoint that needs them, and a tile is written once: whenever this is
broken off, what is published is a whole tree. The next run goes on from the published checkpoint.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from sqlalchemy import Connection

from evidence.errors import ForkError, LedgerCorruptError
from evidence.ledger_engine import in_dialect
from evidence.ledger_tree import SignedCheckpoint, head_at
from evidence.note import unverified_checkpoint
from evidence.tiles import CHECKPOINT, Tile, filled, tiles_of, write_bundle

# Runs a function on a connection of its own, in a read-only transaction.
Read = Callable[[Callable[[Connection], bytes]], bytes]

_LEAVES = "SELECT leaf FROM ledger_entries WHERE idx >= ? AND idx < ? ORDER BY idx"
_HASHES = "SELECT leaf_hash FROM ledger_entries WHERE idx >= ? AND idx < ? ORDER BY idx"
_NODES = "SELECT hash FROM ledger_nodes WHERE level = ? AND pos >= ? AND pos < ? ORDER BY pos"


class Place(Protocol):
    """Where tiles are published. Every method raises TilesError where the place refuses."""

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none."""

    def create(self, path: str, data: bytes) -> None:
        """Write a file that never changes, durably. One that is there must be the same."""

    def replace(self, path: str, data: bytes, was: bytes | None) -> None:
        """Write a file in place of what it `was`; refused where it is something else by now."""

    def drop(self, tile: Tile) -> None:
        """Delete the partial tiles of one that is full, as the specification allows."""


def publish(read: Read, signed: SignedCheckpoint, place: Place) -> bool:
    """Publish the tree of a signed checkpoint; return False where it was published before.

    Raises:
        ForkError: when a larger or another tree was published before: the ledger was rolled back,
            or this is another one. Nothing is written then.
        LedgerCorruptError: when the ledger lacks a node.
        TilesError: when the place refuses, or somebody else published meanwhile.
    """
    head, note = signed.checkpoint, signed.note.encode()
    was = place.read(CHECKPOINT)
    since = 0 if was is None else _since(read, was, signed)
    if was == note:
        return False
    for tile in tiles_of(head.size, since):
        place.create(tile.path, read(partial(_content, tile=tile)))
    place.replace(CHECKPOINT, note, was)
    for tile in filled(head.size, since):
        place.drop(tile)
    return True


def _since(read: Read, was: bytes, signed: SignedCheckpoint) -> int:
    """Return the size that was published, the root of which the ledger still has there."""
    old, new = unverified_checkpoint(was.decode()), signed.checkpoint
    if old.origin != new.origin:
        raise ForkError(f"there lies the log {old.origin!r}; publish {new.origin!r} elsewhere")
    if old.size > new.size:
        raise ForkError(
            f"{old.size} entries were published but the ledger's head holds {new.size}: it was "
            "truncated or an old copy was restored. Nothing is published; compare backups"
        )
    if read(lambda conn: head_at(conn, old.origin, old.size).root) != old.root:
        raise ForkError(
            f"the ledger's first {old.size} entries are not those that were published. Nothing is "
            "published; compare backups"
        )
    return old.size


def _content(conn: Connection, tile: Tile) -> bytes:
    if tile.level is None:
        return write_bundle(_rows(conn, tile, _LEAVES, ()))
    if tile.level == 0:
        return b"".join(_rows(conn, tile, _HASHES, ()))
    return b"".join(_rows(conn, tile, _NODES, (8 * tile.level,)))


def _rows(conn: Connection, tile: Tile, query: str, of: tuple[int, ...]) -> list[bytes]:
    bounds = (*of, tile.first, tile.first + tile.width)
    found = [row[0] for row in conn.exec_driver_sql(in_dialect(conn, query), bounds)]
    if len(found) != tile.width:
        raise LedgerCorruptError(f"the ledger has {len(found)} of the {tile.width} of {tile.path}")
    return found
