"""A gzip file that passes by as a stream: the hash of what is in it, never held whole. Pure."""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from evidence.manifest_values import Gap
from evidence.sources.item import Stream

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 1 << 20


@dataclass(slots=True)
class Inflated:
    """A stream that hashes its content uncompressed (SHA-256) while it is read.

    A file of several gzip members is their contents one after the other (RFC 1952 section 2.2).
    `sink` is given the content too, in pieces of 1 MiB at most.
    """

    stream: Stream
    sink: Callable[[bytes], None] = lambda piece: None
    size: int = 0
    broken: bool = False
    _hash: Any = field(default_factory=hashlib.sha256)
    _member: Any = field(default_factory=lambda: zlib.decompressobj(_GZIP))
    _ended: bool = False

    def read(self) -> bytes:
        """Return the next block as it lies in the file."""
        block = self.stream.read()
        if block and not self.broken:
            try:
                self._feed(block)
            except zlib.error:
                self.broken = True
        return block

    def stable(self) -> bool:
        """Return whether the stream below stayed the same."""
        return self.stream.stable()

    def all_gaps(self) -> tuple[Gap, ...]:
        """Return the gaps of the stream below."""
        return self.stream.all_gaps()

    def sha256(self) -> str:
        """Return the hash of the content in hex; empty where it is no whole gzip file."""
        whole = self._ended and not self.broken and not self.all_gaps()
        return str(self._hash.hexdigest()) if whole else ""

    def _feed(self, block: bytes) -> None:
        while block:
            if self._ended:
                self._member, self._ended = zlib.decompressobj(_GZIP), False
            # A small file may hold much: never more than a piece of it is in memory.
            self._take(self._member.decompress(block, _PIECE))
            self._ended = self._member.eof
            block = self._member.unused_data if self._ended else self._member.unconsumed_tail
        while not self._ended and (found := self._member.decompress(b"", _PIECE)):
            self._take(found)
            self._ended = self._member.eof

    def _take(self, piece: bytes) -> None:
        self._hash.update(piece)
        self.size += len(piece)
        self.sink(piece)
