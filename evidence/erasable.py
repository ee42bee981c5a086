"""One key for each sealed artifact, in a folder of its own; without it nobody reads the artifact.

A manifest is signed, exported and never taken back, and the wrapped data key stands in it. So the
data key is wrapped twice: by the artifact's erasable key, then by the deployment's wrapping key.
Each key file is 32 bytes under the artifact's stored SHA-256; folders are 0700, files 0600. The
folder lies beside the locker, not in it, for backups of the two are kept for different times.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from evidence.errors import LockerError
from evidence.folder_sync import sync_folder

ERASABLE = 32
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ErasableKeys:
    """A folder of erasable keys, made when the first is put."""

    root: Path

    def put(self, sha256: str, key: bytes) -> None:
        """Keep an artifact's key; it is on the disk when this returns.

        Raises:
            LockerError: when the artifact has a key already, or the key is not 32 bytes.
        """
        path = self._path(sha256)
        if len(key) != ERASABLE:
            raise LockerError(f"erasable key of {len(key)} bytes; expected {ERASABLE}")
        for folder in (self.root, path.parent):
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                sync_folder(folder.parent)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise LockerError(f"artifact {sha256} has an erasable key already") from None
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(handle)
        sync_folder(path.parent)

    def get(self, sha256: str) -> bytes:
        """Return an artifact's key.

        Raises:
            LockerError: when it was erased, is lost, or is torn.
        """
        path = self._path(sha256)
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise LockerError(
                f"artifact {sha256} has no key: it was disposed of, or {self.root} was left behind "
                "when its folder was moved or restored"
            ) from None
        except OSError as error:
            raise LockerError(f"{path} cannot be read: {error.strerror}") from error
        with os.fdopen(handle, "rb") as file:
            key = file.read(ERASABLE + 1)
        if len(key) != ERASABLE or not any(key):
            raise LockerError(f"{path} holds no key: it was torn, or is half erased")
        return key

    def there(self, sha256: str) -> bool:
        """Return whether there is a file for an artifact's key, whatever is in it."""
        return os.path.lexists(self._path(sha256))

    def erase(self, sha256: str) -> None:
        """Overwrite an artifact's key, and remove it; nothing happens where it is gone already.

        What a disk, a snapshot or a backup keeps of it is not reached from here.

        Raises:
            LockerError: when it cannot be removed.
        """
        path = self._path(sha256)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        except OSError as error:
            raise LockerError(f"{path} cannot be erased: {error.strerror}") from error
        with os.fdopen(handle, "wb") as file:
            file.write(bytes(ERASABLE))
            file.flush()
            os.fsync(handle)
        with suppress(FileNotFoundError):
            path.unlink()
        sync_folder(path.parent)

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise LockerError(f"{sha256[:80]!r} is no artifact name; expected a SHA-256 in hex")
        return self.root / sha256[:2] / sha256
