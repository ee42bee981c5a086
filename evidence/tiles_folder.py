"""A folder in which the ledger is published; a web server may hand it out as it is."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evidence.errors import TilesError
from evidence.folder_sync import sync_folder
from evidence.tiles import MAX_BUNDLE, WIDTH, Tile

# For everybody to read: it is public.
_FILE, _FOLDER = 0o644, 0o755


class TilesFolder:
    """A `tiles_publish.Place` in a folder, which is made where it is missing."""

    def __init__(self, root: Path) -> None:
        """Take the folder `root`."""
        self._root = root

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none."""
        with self._refusing(path):
            try:
                with (self._root / path).open("rb") as file:
                    return file.read(MAX_BUNDLE)
            except FileNotFoundError:
                return None

    def create(self, path: str, data: bytes) -> None:
        """Write a file that never changes; one that is there must be the same."""
        with self._refusing(path), self._written(path, data) as beside:
            try:
                os.link(beside, self._root / path)
            except FileExistsError:
                if self.read(path) != data:
                    raise TilesError(
                        f"{self._root / path} is published and is another one; a tile never "
                        "changes. Publish to a new folder, and find out who wrote this one"
                    ) from None
            sync_folder((self._root / path).parent)

    def replace(self, path: str, data: bytes, was: bytes | None) -> None:
        """Write a file in place of what it `was`, while nobody else does."""
        with self._refusing(path), self._written(path, data) as beside, self._turn():
            if self.read(path) != was:
                raise TilesError(f"{self._root / path} was published by somebody else meanwhile")
            os.replace(beside, self._root / path)
            sync_folder((self._root / path).parent)

    def drop(self, tile: Tile) -> None:
        """Delete the partial tiles of one that is full."""
        folder = self._root / f"{tile.stem}.p"
        with self._refusing(tile.stem):
            for width in range(1, WIDTH):
                (folder / str(width)).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                folder.rmdir()

    @contextmanager
    def _written(self, path: str, data: bytes) -> Iterator[Path]:
        """Yield a file beside `path` that holds `data` on the disk; it is gone afterwards."""
        folder = (self._root / path).parent
        self._make(folder)
        handle, name = tempfile.mkstemp(prefix=".new-", dir=folder)
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(file.fileno(), _FILE)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield beside
        finally:
            beside.unlink(missing_ok=True)

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make(folder.parent)
        folder.mkdir(_FOLDER, exist_ok=True)
        sync_folder(folder.parent)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def _refusing(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TilesError(f"{self._root / path}: {error.strerror}; free the way") from error
