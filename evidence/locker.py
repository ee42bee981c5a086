"""Where artifacts lie: each under the SHA-256 of its bytes, written once, never deleted.

A sensitive one lies encrypted; the folder beside the locker has the key that can be erased.

A file gets its name only after its bytes are on the disk and were read back. Folders are 0700,
files 0600; every name is made here, none comes from a source.
"""

import fcntl
import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from evidence.chunked import decrypt
from evidence.erasable import ErasableKeys
from evidence.errors import LockerError
from evidence.folder_sync import sync_folder
from evidence.ingest import Ingested, Read, from_stream, ingest
from evidence.keys import Wrapper
from evidence.manifest_values import Encryption, Part
from evidence.sealed import data_key_of, fresh, keyed_digest

CHUNK = 1 << 20
WINDOW = 1 << 26
# Seconds after which what nobody writes any more is taken for left behind.
LEFT_BEHIND = 60
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """What lies in the locker: SHA-256 in hex, size in bytes, and path below the root.

    A store that keeps versions names this one; what was uploaded in parts tells them.
    """

    sha256: str
    size: int
    path: str
    version: str | None = None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredSealed:
    """A sealed artifact: where its ciphertext lies, how to open it, and its plaintext's digest."""

    stored: Stored
    encryption: Encryption
    plain_hmac: str
    plain_size: int


@dataclass(frozen=True, slots=True)
class Locker:
    """A folder of artifacts; `randomness(n)` gives n random bytes."""

    root: Path
    randomness: Callable[[int], bytes] = os.urandom

    @property
    def keys(self) -> ErasableKeys:
        """The erasable keys of its sensitive artifacts."""
        return ErasableKeys(self.root.with_name(f"{self.root.name}-keys"))

    @property
    def locks(self) -> None:
        """A folder has no locks: its holds stand in the ledger alone."""

    def put(self, source: bytes | BinaryIO | Read) -> Stored:
        """Store bytes, a stream or what a reader gives, to its end, hashing on the way.

        Returns once the bytes are on the disk, were read back, and have their name. The same
        content is stored once.

        Raises:
            LockerError: when what was read back differs, or another content has the name.
        """
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        read = stream if callable(stream) else from_stream(stream)
        with self._incoming() as (temporary, file):
            sha256, size = _copy(read, file)
            return self._name(temporary, sha256, size)

    def put_sealed(
        self, read: Read, wrap: Wrapper, about: Mapping[str, str] | None = None
    ) -> tuple[StoredSealed, Ingested]:
        """Store what `read` gives encrypted under a key of its own, named by the ciphertext's hash.

        One pass hashes the plain bytes, encrypts them, hashes and writes what is stored. `about`
        names the artifact for the wrapping key.

        Raises:
            LockerError: as `put`. What `read` raises passes; nothing then has a name.
            KeyServiceError: when the wrapping key lives elsewhere and is not to be had.
        """
        made = fresh(wrap, self.randomness, about)
        with self._incoming() as (temporary, file):
            found = ingest(read, lambda data: _write(file, data), made.cipher)
            again = hashlib.sha256()
            _read_back(file, 0, found.stored_size, again)
            _refuse_unlike(file, found.stored_size, found.stored_sha256, again.hexdigest())
            # Before the artifact has its name, so that none is ever named and cannot be read.
            self.keys.put(found.stored_sha256, made.erasable)
            stored = self._name(temporary, found.stored_sha256, found.stored_size)
        digest = keyed_digest(found.plain_sha256, made.data_key)
        return StoredSealed(stored, made.encryption, digest, found.plain_size), found

    def put_sensitive(self, data: bytes, wrap: Wrapper) -> StoredSealed:
        """Store `data` as `put_sealed` does; nothing is returned that confirms a guess of it."""
        return self.put_sealed(from_stream(io.BytesIO(data)), wrap)[0]

    def open(self, sha256: str, version: str | None = None) -> io.BufferedReader:
        """Return a stream of an artifact's stored bytes, unchecked; a folder has no versions.

        Raises:
            LockerError: when there is none of that name.
        """
        path = self.root / self.path_of(sha256)
        try:
            return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
        except OSError as error:
            raise LockerError(f"artifact {sha256} cannot be read: {error.strerror}") from error

    def read(self, sha256: str, version: str | None = None) -> bytes:
        """Return an artifact's stored bytes, checked against its name.

        Raises:
            LockerError: when there is none of that name, or its bytes were altered.
        """
        with self.open(sha256, version) as file:
            data = file.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise LockerError(f"artifact {sha256} was altered on disk; restore it from a copy")
        return data

    def open_sensitive(
        self,
        sha256: str,
        encryption: Encryption,
        wrap: Wrapper,
        about: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the plaintext of a sealed artifact.

        Raises:
            LockerError: when it is missing, altered, sealed under another key, or disposed of.
        """
        key = data_key_of(encryption, wrap, lambda: self.keys.get(sha256), about)
        return b"".join(decrypt(io.BytesIO(self.read(sha256)), key))

    def there(self, sha256: str) -> bool:
        """Return whether anything has that name, readable or not."""
        return os.path.lexists(self.root / self.path_of(sha256))

    def over(self, sha256: str) -> str:
        """Return what was laid over an artifact: in a folder that is never anything."""
        return ""

    def refuse_unfit(self) -> None:
        """Check nothing: the folder is made when the first artifact is put."""

    def path_of(self, sha256: str) -> str:
        """Return the path below the root of an artifact of that hash, stored or not.

        Raises:
            LockerError: when the name is no SHA-256 in hex.
        """
        if not _SHA256.fullmatch(sha256):
            raise LockerError(f"{sha256[:80]!r} is no artifact name; expected a SHA-256 in hex")
        return f"{sha256[:2]}/{sha256}"

    @contextmanager
    def _incoming(self) -> Iterator[tuple[Path, io.FileIO]]:
        temporary = self._folder("incoming") / self.randomness(16).hex()
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with io.FileIO(handle, "r+") as file:
                fcntl.flock(handle, fcntl.LOCK_EX)
                _sweep(temporary.parent, os.fstat(handle).st_mtime)
                yield temporary, file
        finally:
            temporary.unlink(missing_ok=True)

    def _name(self, temporary: Path, sha256: str, size: int) -> Stored:
        path = self.path_of(sha256)
        final = self.root / path
        folder = self._folder(sha256[:2])
        try:
            os.link(temporary, final)
        except FileExistsError:
            with self.open(sha256) as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    raise LockerError(
                        f"artifact {sha256} was altered on disk; restore it from a copy"
                    ) from None
        sync_folder(folder)
        return Stored(sha256, size, path)

    def _folder(self, name: str) -> Path:
        for folder in (self.root, self.root / name):
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                sync_folder(folder.parent)
        return self.root / name


def _sweep(incoming: Path, now: float) -> None:
    """Remove what processes that died were writing: nothing of it was ever shown as stored.

    `now` is the time of the disk itself, which tells ages on it.
    """
    for left in incoming.iterdir():
        with suppress(OSError), open(os.open(left, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            # Whoever lives holds the lock; whoever just began may not hold it yet.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if now - os.fstat(file.fileno()).st_mtime > LEFT_BEHIND:
                left.unlink()


def _copy(read: Read, target: io.FileIO) -> tuple[str, int]:
    """Write all that is read, sync it and read it back; return its SHA-256 and size."""
    written, found = hashlib.sha256(), hashlib.sha256()
    size = checked = 0
    # Large artifacts are read back window by window while the next is written.
    with ThreadPoolExecutor(max_workers=1) as behind:
        windows: list[Future[None]] = []
        while chunk := read():
            written.update(chunk)
            _write(target, memoryview(chunk))
            size += len(chunk)
            if size - checked >= WINDOW:
                windows.append(behind.submit(_read_back, target, checked, size, found))
                checked = size
        for window in windows:
            window.result()
    _read_back(target, checked, size, found)
    _refuse_unlike(target, size, written.hexdigest(), found.hexdigest())
    return written.hexdigest(), size


def _write(file: io.FileIO, data: memoryview) -> None:
    while data:
        data = data[file.write(data) :]


def _refuse_unlike(file: io.FileIO, size: int, written: str, found: str) -> None:
    if written != found or os.fstat(file.fileno()).st_size != size:
        raise LockerError(
            f"stored bytes read back as {found}, written as {written}; check the disk"
        )


def _read_back(file: io.FileIO, start: int, end: int, found: "hashlib._Hash") -> None:
    os.fsync(file.fileno())
    # Drop the cached pages, so that what is read back comes from the disk.
    os.posix_fadvise(file.fileno(), start, end - start, os.POSIX_FADV_DONTNEED)
    while start < end and (chunk := os.pread(file.fileno(), min(CHUNK, end - start), start)):
        found.update(chunk)
        start += len(chunk)
