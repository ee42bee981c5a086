"""The ledger as files for everybody (C2SP tlog-tiles v0.1.0): their names, and what is in them.

    checkpoint             the signed head
    tile/<L>/<N>           256 hashes: nodes N*256 and on of level 8*L of the Merkle tree
    tile/entries/<N>       256 leaves, each after its length as a big-endian uint16
    ....p/<W>              the same while there are only W of the 256

<N> is written in groups of three digits, each but the last after an x: 1234067 is x001/x234/067.
A leaf is an envelope of pseudonyms, times and commitments (leaf.py): nobody learns from it what
happened, but when and how much. Standard library only.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evidence.errors import TilesError

CHECKPOINT = "checkpoint"
WIDTH = 256
HASH_BYTES = 32
# What the length before a leaf can say.
MAX_ENTRY = (1 << 16) - 1
MAX_BUNDLE = WIDTH * (2 + MAX_ENTRY)
# Levels of tiles that a tree of less than 2**63 leaves can have.
MAX_LEVEL = 7


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of hashes of a `level`, or of entries where it is None; `width` is 1 to 256."""

    level: int | None
    index: int
    width: int

    @property
    def stem(self) -> str:
        """The name of the tile when it is full."""
        groups = [f"{self.index % 1000:03}"]
        left = self.index // 1000
        while left:
            groups.insert(0, f"x{left % 1000:03}")
            left //= 1000
        kind = "entries" if self.level is None else str(self.level)
        return f"tile/{kind}/{'/'.join(groups)}"

    @property
    def path(self) -> str:
        """The name of the tile as it is."""
        return self.stem if self.width == WIDTH else f"{self.stem}.p/{self.width}"

    @property
    def first(self) -> int:
        """The index, at its level, of its first hash or entry."""
        return self.index * WIDTH


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """Yield the tiles of a tree of `size` leaves that one of `since` leaves did not have."""
    for level in (None, *range(MAX_LEVEL + 1)):
        old, new = (count >> 8 * (level or 0) for count in (since, size))
        for index in range(old // WIDTH, -(-new // WIDTH)):
            width = min(new - index * WIDTH, WIDTH)
            if width != min(max(old - index * WIDTH, 0), WIDTH):
                yield Tile(level, index, width)


def filled(size: int, since: int) -> Iterator[Tile]:
    """Yield the tiles that are full in a tree of `size` leaves and were partial before."""
    for tile in tiles_of(size, since):
        old = since >> 8 * (tile.level or 0)
        if tile.width == WIDTH and tile.first < old:
            yield tile


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """Return leaves as a tile of entries.

    Raises:
        TilesError: when one is longer than its length can say.
    """
    if too_long := [len(entry) for entry in entries if len(entry) > MAX_ENTRY]:
        raise TilesError(f"an entry of {too_long[0]} bytes; a tile takes {MAX_ENTRY} at most")
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def read_bundle(data: bytes) -> list[bytes]:
    """Return the leaves in a tile of entries.

    Raises:
        TilesError: when it is cut off.
    """
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2])
        if end > len(data) or at + 2 > len(data):
            raise TilesError("is cut off: an entry is longer than what is left")
        entries.append(data[at + 2 : end])
        at = end
    return entries
