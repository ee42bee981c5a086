"""Computes a published ledger again from its tiles of entries alone, and compares the rest.

Standard library only. What is read may come from an adversary: no link is followed, and nothing is
read beyond what a tile can hold.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from evidence.errors import LedgerError, MissingTileError, TilesError
from evidence.leaf import read_leaf
from evidence.merkle import EMPTY_ROOT, extend, fold, leaf_hash, root_of
from evidence.tiles import HASH_BYTES, MAX_BUNDLE, WIDTH, Tile, read_bundle


def roots(folder: Path, size: int, at: Iterable[int]) -> dict[int, bytes]:
    """Return the root at each of the sizes `at` and at `size`, of the tree that is published.

    Raises:
        MissingTileError: when a tile of the tree is not there.
        TilesError: when one cannot be read, or does not follow from the entries.
    """
    wanted = {*at, size}
    found = {0: EMPTY_ROOT} if 0 in wanted else {}
    peaks: list[bytes] = []
    rows = _Rows(folder)
    for first in range(0, size, WIDTH):
        leaves = _leaves(folder, Tile(None, first // WIDTH, min(size - first, WIDTH)))
        for index, leaf in enumerate(leaves, first):
            extend(peaks, index, leaf)
            if index + 1 in wanted:
                found[index + 1] = fold(peaks)
        rows.add(0, leaves)
    rows.compare_rest()
    return found


class _Rows:
    """The hashes of each level of tiles since its last full one, and how many are full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[list[bytes]] = []
        self._full: list[int] = []

    def add(self, level: int, hashes: list[bytes]) -> None:
        """Add what fits in a tile; a full one is compared, and gives one hash to the next level."""
        if level == len(self._rows):
            self._rows.append([])
            self._full.append(0)
        self._rows[level] += hashes
        if len(self._rows[level]) == WIDTH:
            self._compare(level)
            above, self._rows[level] = root_of(self._rows[level]), []
            self._full[level] += 1
            self.add(level + 1, [above])

    def compare_rest(self) -> None:
        """Compare the tile of each level that is not full."""
        for level, row in enumerate(self._rows):
            if row:
                self._compare(level)

    def _compare(self, level: int) -> None:
        row = self._rows[level]
        tile = Tile(level, self._full[level], len(row))
        if _read_tile(self._folder, tile, WIDTH * HASH_BYTES)[: len(row) * HASH_BYTES] != b"".join(
            row
        ):
            raise TilesError(f"{tile.path} does not follow from the entries")


def read(folder: Path, path: str, limit: int) -> bytes:
    """Return the bytes of a published file.

    Raises:
        MissingTileError: when it is not there.
        TilesError: when it cannot be read, is no plain file, or is larger than `limit` bytes.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        with os.fdopen(os.open(folder / path, flags), "rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise MissingTileError(f"{path} is missing") from error
    except OSError as error:
        raise TilesError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise TilesError(f"{path} is larger than {limit} bytes")
    return data


def _leaves(folder: Path, tile: Tile) -> list[bytes]:
    """Return the leaf hashes of a tile of entries, each of which is an envelope."""
    try:
        entries = read_bundle(_read_tile(folder, tile, MAX_BUNDLE))
    except TilesError as error:
        if isinstance(error, MissingTileError):
            raise
        raise TilesError(f"{tile.path} {error}") from error
    if len(entries) < tile.width:
        raise TilesError(f"{tile.path} has {len(entries)} entries; expected {tile.width}")
    hashes = []
    for index, entry in enumerate(entries[: tile.width], tile.first):
        try:
            read_leaf(entry)
        except LedgerError as error:
            raise TilesError(f"{tile.path}: entry {index}: {error}") from error
        hashes.append(leaf_hash(entry))
    return hashes


def _read_tile(folder: Path, tile: Tile, limit: int) -> bytes:
    try:
        return read(folder, tile.path, limit)
    except MissingTileError:
        if tile.width == WIDTH:
            raise
        # A partial tile may be gone once there is the full one (C2SP tlog-tiles, "Partial Tiles").
        return read(folder, tile.stem, limit)
