"""A file that a person brings: a disk image, a memory image, a capture. Its bytes are opaque.

It is read once, from its beginning to its end, while it is hashed and stored. What the person
says of it, and what the file says of itself, becomes claims of its manifest, never more.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from evidence.errors import SourceError
from evidence.ingest import Source, opened
from evidence.manifest_values import Claim, Gap
from evidence.sources.container_claims import container_claims
from evidence.sources.item import Item

CALL = "file.read"
OPAQUE = "application/octet-stream"
# A manifest is never taken back, so it has no name of a person; the entries have, and can hide it.
CLAIMED_BY = "whoever brought it"

# The hashes that a person may know of a file, and how many hex digits each has.
HASHES: Mapping[str, int] = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
_NAME = re.compile(r"[a-z][a-z0-9 _.-]{0,39}")
_MOST = 200


@dataclass(slots=True)
class BroughtFile:
    """An open file as a stream, and what whoever brings it says of it (name -> value).

    A hash in `said` is computed too while the file passes by; that costs time, so no other is.
    """

    source: Source
    said: Mapping[str, str]
    notes: list[str] = field(default_factory=list)
    _running: dict[str, Any] = field(default_factory=dict)
    _claims: tuple[Claim, ...] | None = None

    name: ClassVar[str] = "brought"

    def __post_init__(self) -> None:
        """Begin the hashes that are to be compared."""
        for name in self.said.keys() & HASHES:
            self._running[name] = hashlib.new(name, usedforsecurity=False)

    def read(self) -> bytes:
        """Return the next block; empty at the end."""
        block = self.source.read()
        for running in self._running.values():
            running.update(block)
        return block

    def stable(self) -> bool:
        """Return whether the file is as it was when it was opened."""
        return self.source.stable()

    def all_gaps(self) -> tuple[Gap, ...]:
        """Return what could not be read."""
        return self.source.all_gaps()

    def compared(self) -> dict[str, str]:
        """Return, for each hash that was said, whether what was read has it."""
        return {
            name: "agrees" if running.hexdigest() == self.said[name] else "differs"
            for name, running in sorted(self._running.items())
        }

    def claims(self) -> tuple[Claim, ...]:
        """Return what the person says of the file, and what it says of itself; note the rest."""
        if self._claims is not None:
            return self._claims
        told = [Claim(CLAIMED_BY, name, value) for name, value in sorted(self.said.items())]
        where = self.source.descriptor
        found = container_claims(lambda at, size: os.pread(where, size, at), self.source.size)
        if found is not None:
            self.notes += [f"{found.form}: {note}" for note in found.notes]
            told += [Claim(f"the file, as {found.form}", c.name, c.value) for c in found.claims]
        self._claims = tuple(told)
        return self._claims

    def item(self, name: str, sensitive: bool) -> Item:
        """Return it as an item; no more than one may be deposited."""
        return Item(name, OPAQUE, b"", sensitive, CALL, self, self.claims)


@contextmanager
def brought(path: Path, said: Mapping[str, str]) -> Iterator[BroughtFile]:
    """Open a file or a block device that somebody brings.

    Raises:
        SourceError: when it is neither. OSError: when it cannot be opened.
    """
    # A pipe without a writer must not hold the command up; it is refused.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            raise SourceError(f"{path} is neither a file nor a block device, so has no end")
        yield BroughtFile(opened(descriptor), said)
    finally:
        os.close(descriptor)


def said_of(texts: Iterable[str]) -> dict[str, str]:
    """Read claims that are written `name=value`, such as `md5=...`; hashes in lower-case hex.

    Raises:
        SourceError: for one that is not so written, or a hash of another length.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name, value = name.strip().lower(), value.strip()
        if not equals or not _NAME.fullmatch(name) or not value.isprintable() or not value:
            raise SourceError(
                f"{text[:80]!r} is no claim; write name=value, such as sha256=ab12..."
            )
        if name in HASHES:
            value = value.lower()
            if not re.fullmatch(f"[0-9a-f]{{{HASHES[name]}}}", value):
                raise SourceError(f"{name} has {HASHES[name]} hex digits; {value[:140]!r} has not")
        if name in found or len(value) > _MOST:
            raise SourceError(f"claim {name} is there twice, or over {_MOST} characters long")
        found[name] = value
    return found
