"""A preallocated file that takes records while the database cannot; each is synced first.

    header   magic 16 | generation 16 | size 8, big endian | SHA-256 of these, 24 bytes of it
    record   magic 8 | generation 16 | number 4 | length 4 | SHA-256 32 | JSON, UTF-8

A record's hash covers generation, number, length and JSON. A reset begins a new generation, and
what an older one left counts no more. The magic of a record has a byte that UTF-8 never has, so
the next record is found behind one that is damaged.
"""

import errno
import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.folder_sync import sync_folder
from playbooks.errors import SpoolError

HEADER = 64
_FILE = b"stanch-spool-1\n\0"
_RECORD = b"\xf5SPOOL1\n"
_HEAD = 64


@dataclass(frozen=True, slots=True)
class Spooled:
    """One record: its place in the file's generation (from 0), SHA-256 in hex, and JSON value."""

    number: int
    digest: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that were a record, or the header, and cannot be read: offset and length."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a spool holds. `torn` counts bytes of a last record that was never acknowledged, or
    was damaged since; `end` is where the next record goes."""

    generation: bytes
    records: tuple[Spooled, ...]
    damage: tuple[Damage, ...]
    torn: int
    end: int
    size: int


def make(path: Path, size: int, random: Callable[[int], bytes]) -> None:
    """Make the file, 0600 in a folder 0700, with its whole size on the disk already.

    Raises SpoolError when there is one, or no room.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            raise FileExistsError(errno.EEXIST, "there is such a file already")
        new = path.with_name(path.name + ".new")
        fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(fd, 0, size)
            # Extents that were only reserved are converted at the first write, which needs room of
            # its own (Linux kernel documentation, "ext4 block and inode allocation policy").
            _write(fd, _header(random(16), size) + bytes(size - HEADER), 0)
            os.fsync(fd)
        finally:
            os.close(fd)
        new.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise SpoolError(
            f"the spool {path} cannot be made: {error.strerror}. Expected a folder with "
            f"{size} bytes of room and no such file; name another in [spool] of stanch.toml."
        ) from error


class Spool:
    """The file as its writers see it: any number of processes, one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = threading.Lock()
        # Generation, and the number and offset of the next record, as this process last saw them.
        self._next: tuple[bytes, int, int] | None = None

    def append(self, body: Mapping[str, Any], *, spare: int = 0) -> Spooled:
        """Write a record and sync it; when this returns, it outlives a power cut.

        `spare` bytes are to stay free behind it. Raises SpoolError when it is full, or cannot be
        written: nothing that depends on the record may happen then.
        """
        payload = json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        with self._turn, self._locked() as fd:
            generation, number, at = self._end(fd)
            digest = _digest(generation, number, payload)
            head = _RECORD + generation + number.to_bytes(4) + len(payload).to_bytes(4) + digest
            size = os.fstat(fd).st_size
            if at + _HEAD + len(payload) + spare > size:
                raise SpoolError(
                    f"the spool {self.path} is full: {at} of {size} bytes wait to be imported. "
                    "Bring the database back; `stanch doctor` says what is wrong with it."
                )
            try:
                _write(fd, head + payload, at)
                os.fdatasync(fd)
            except OSError as error:
                raise self._unusable(error) from error
            self._next = (generation, number + 1, at + _HEAD + len(payload))
            return Spooled(number, digest.hex(), body)

    def read(self) -> Contents:
        """Return what it holds, in order. Raise SpoolError when the file cannot be read."""
        try:
            return parse(self.path.read_bytes())
        except OSError as error:
            raise self._unusable(error) from error

    def empty(self) -> bool:
        """Return whether nothing waits in it: quick, for it is asked before each entry."""
        try:
            with self.path.open("rb") as file:
                head = file.read(HEADER + _HEAD)
        except OSError as error:
            raise self._unusable(error) from error
        return _generation(head) is not None and not any(head[HEADER:])

    def reset(self, seen: Contents, random: Callable[[int], bytes]) -> bool:
        """Begin a new generation, if nothing came since `seen`; return whether it was begun."""
        with self._turn, self._locked() as fd:
            now = parse(os.pread(fd, os.fstat(fd).st_size, 0))
            if (now.generation, now.end) != (seen.generation, seen.end):
                return False
            try:
                _write(fd, _header(random(16), seen.size), 0)
                os.fdatasync(fd)
                _write(fd, bytes(seen.end + seen.torn - HEADER), HEADER)
                os.fdatasync(fd)
            except OSError as error:
                raise self._unusable(error) from error
            self._next = None
            return True

    def _end(self, fd: int) -> tuple[bytes, int, int]:
        """Return the generation, and number and offset of the next record."""
        generation = _generation(os.pread(fd, HEADER, 0))
        if self._next is None or self._next[0] != generation:
            found = parse(os.pread(fd, os.fstat(fd).st_size, 0))
            number = found.records[-1].number + 1 if found.records else 0
            # What a crash left half-written is not to be taken for damage later.
            _write(fd, bytes(found.torn), found.end)
            return found.generation, number, found.end
        _, number, at = self._next
        while found_ := _record(generation, os.pread(fd, _HEAD, at), fd, at):
            number, at = number + 1, at + found_
        return generation, number, at

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            # Opened each time: a child made by fork would share the lock of an open file.
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield fd
        finally:
            os.close(fd)

    def _unusable(self, error: OSError) -> SpoolError:
        return SpoolError(
            f"the spool {self.path} cannot be used: {error.strerror}. Expected the file that "
            "`stanch init` makes, on a disk that can be written; see [spool] in stanch.toml."
        )


@contextmanager
def running(spool: Spool) -> Iterator[None]:
    """Let nobody import while the block runs; wait for an import to end first."""
    fd = _folder(spool)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


@contextmanager
def alone(spool: Spool) -> Iterator[bool]:
    """Yield whether nobody else imports, and nothing that is being spooled still goes on."""
    fd = _folder(spool)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = True
        except BlockingIOError:
            ours = False
        yield ours
    finally:
        os.close(fd)


def _folder(spool: Spool) -> int:
    # The folder itself is locked: a full disk has no room for another file.
    return os.open(spool.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def parse(data: bytes) -> Contents:
    """Return what a spool's bytes hold. Whatever they are, no record behind damage is lost."""
    generation = _generation(data[:HEADER])
    damage = [] if generation is not None else [Damage(0, HEADER)]
    records: list[Spooled] = []
    end = at = HEADER
    while (at := data.find(_RECORD, at)) >= 0:
        found = _read(data, at, generation)
        if found is None:
            at += 1
            continue
        owner, record, length = found
        if at > end:
            damage.append(Damage(end, at - end))
        generation = owner if generation is None else generation
        records.append(record)
        end = at = at + length
    torn = len(data[end:].rstrip(b"\0"))
    if generation is None:
        # No header and no record: a name for whatever is written next.
        generation = hashlib.sha256(data[:HEADER]).digest()[:16]
    return Contents(generation, tuple(records), tuple(damage), torn, end, len(data))


def _read(data: bytes, at: int, generation: bytes | None) -> tuple[bytes, Spooled, int] | None:
    head = data[at : at + _HEAD]
    owner, number, length = head[8:24], int.from_bytes(head[24:28]), int.from_bytes(head[28:32])
    payload = data[at + _HEAD : at + _HEAD + length]
    digest = _digest(owner, number, payload)
    if len(payload) != length or digest != head[32:] or generation not in (None, owner):
        return None
    return owner, Spooled(number, digest.hex(), json.loads(payload)), _HEAD + length


def _record(generation: bytes, head: bytes, fd: int, at: int) -> int | None:
    """Return the length of the whole record at this offset, or None where there is none."""
    if head[:24] != _RECORD + generation:
        return None
    found = _read(head + os.pread(fd, int.from_bytes(head[28:32]), at + _HEAD), 0, generation)
    return found[2] if found else None


def _digest(generation: bytes, number: int, payload: bytes) -> bytes:
    lengths = number.to_bytes(4) + len(payload).to_bytes(4)
    return hashlib.sha256(generation + lengths + payload).digest()


def _header(generation: bytes, size: int) -> bytes:
    told = _FILE + generation + size.to_bytes(8)
    return told + hashlib.sha256(told).digest()[:24]


def _generation(header: bytes) -> bytes | None:
    told = header[:40]
    if told[:16] != _FILE or hashlib.sha256(told).digest()[:24] != header[40:HEADER]:
        return None
    return told[16:32]


def _write(fd: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written
