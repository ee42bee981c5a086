"""Takes a stream into custody in one pass: plain hash, encryption and stored hash at once.

A source is read in blocks of 1 MiB. One thread hashes what was read, another encrypts it, hashes
the ciphertext and writes it, while the next block is read; hashing and AES let others run.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

from evidence.chunked import CHUNK, SEALED, Cipher, sealed_size
from evidence.errors import LockerError
from evidence.manifest_values import Gap

BLOCK = 1 << 20
# Blocks that are read ahead of the slower of the two threads.
AHEAD = 4


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one pass saw and wrote: digests in hex, sizes in bytes.

    `stable` is False where the source's size, time or place changed while it was read; what could
    not be read was taken as zeros and stands in `gaps`.
    """

    plain_sha256: str
    plain_size: int
    stored_sha256: str
    stored_size: int
    stable: bool = True
    gaps: tuple[Gap, ...] = ()


Read = Callable[[], bytes]


def ingest(read: Read, write: Callable[[memoryview], object], cipher: Cipher) -> Ingested:
    """Encrypt all that `read` gives (a block at a time, empty at its end) into `write`.

    Raises:
        LockerError: when less was written than was read. What `read` or `write` raises, passes.
    """
    plain, stored = hashlib.sha256(), hashlib.sha256()
    size = written = number = 0
    rest = b""

    def seal(block: bytes, first: int) -> int:
        into = bytearray(len(block) // CHUNK * SEALED)
        done = cipher.seal(memoryview(block), first, memoryview(into))
        return put(memoryview(into)[:done])

    def put(data: memoryview) -> int:
        stored.update(data)
        write(data)
        return len(data)

    written += put(memoryview(cipher.header))
    with ThreadPoolExecutor(1) as hashing, ThreadPoolExecutor(1) as sealing:
        hashed: deque[Future[None]] = deque()
        sealed: deque[Future[int]] = deque()
        while block := read():
            size += len(block)
            hashed.append(hashing.submit(plain.update, block))
            block = rest + block if rest else block
            whole = len(block) - len(block) % CHUNK
            block, rest = (block[:whole], block[whole:]) if whole < len(block) else (block, b"")
            if block:
                sealed.append(sealing.submit(seal, block, number))
                number += len(block) // CHUNK
            written += _settle(hashed, sealed, AHEAD)
        written += _settle(hashed, sealed, 0)
    written += put(memoryview(cipher.seal_last(rest, number)))
    if written != sealed_size(size):
        raise LockerError(f"{written} bytes were stored of {sealed_size(size)}; check the disk")
    return Ingested(plain.hexdigest(), size, stored.hexdigest(), written)


def _settle(hashed: deque[Future[None]], sealed: deque[Future[int]], left: int) -> int:
    """Wait until no more than so many blocks are under way; return the bytes written."""
    while len(hashed) > left:
        hashed.popleft().result()
    written = 0
    while len(sealed) > left:
        written += sealed.popleft().result()
    return written


@dataclass(slots=True)
class Source:
    """A file or device that is read block by block, with what it did not give.

    A block that cannot be read is tried again in sectors, and a sector that cannot is taken as
    zeros and noted, so that what follows keeps its place (as imaging tools do).
    """

    descriptor: int
    size: int
    before: os.stat_result
    at: int = 0
    gaps: list[Gap] | None = None

    def read(self) -> bytes:
        """Return the next block; empty at the end."""
        want = min(BLOCK, self.size - self.at) if self.size else BLOCK
        if want <= 0:
            return b""
        try:
            block = os.pread(self.descriptor, want, self.at)
        except OSError as error:
            if not self.size:
                # Nobody knows where it ends: zeros would go on for ever.
                self.gaps = self.gaps or [Gap(self.at, 1, os.strerror(error.errno or 0))]
                return b""
            block = self._by_sector(want)
        self.at += len(block)
        return block

    def stable(self) -> bool:
        """Return whether the source is as it was when it was opened."""
        now = os.fstat(self.descriptor)
        seen = (self.before.st_size, self.before.st_mtime_ns, self.before.st_ino)
        return seen == (now.st_size, now.st_mtime_ns, now.st_ino)

    def all_gaps(self) -> tuple[Gap, ...]:
        """Return what could not be read, and what a shorter source did not have."""
        found = list(self.gaps or ())
        if self.at < self.size:
            why = "the source ended before its size"
            found.append(Gap(self.at, self.size - self.at, why))
        return tuple(found)

    def _by_sector(self, want: int) -> bytes:
        parts = []
        for start in range(self.at, self.at + want, SECTOR):
            size = min(SECTOR, self.at + want - start)
            try:
                part = os.pread(self.descriptor, size, start)
            except OSError as error:
                part = b"\x00" * size
                self._note(start, size, os.strerror(error.errno or 0))
            parts.append(part)
            if len(part) < size:
                break
        return b"".join(parts)

    def _note(self, start: int, size: int, why: str) -> None:
        gaps = self.gaps = self.gaps if self.gaps is not None else []
        last = gaps[-1] if gaps else None
        if last and last.start + last.size == start and last.why == why:
            gaps[-1] = Gap(last.start, last.size + size, why)
        else:
            gaps.append(Gap(start, size, why))


SECTOR = 4096


def opened(descriptor: int) -> Source:
    """Return a source for an open file; it is told that it is read once, from its beginning."""
    before = os.fstat(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    size = before.st_size or _end(descriptor)
    return Source(descriptor, size, before)


def _end(descriptor: int) -> int:
    """Return a device's size, whose stat has none."""
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    except OSError:
        return 0


def from_stream(stream: BinaryIO) -> Read:
    """Return a reader of a stream that is no file."""
    return lambda: stream.read(BLOCK)
