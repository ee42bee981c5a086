"""The lines of a JSON log that lie in a window of time, as a stream over an open file. Pure.

A line whose time cannot be told is kept, too: it may have been made so to be left out.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

from evidence.ingest import BLOCK
from evidence.manifest_values import Gap

# A line that is longer is taken in pieces, none of which has a time.
MOST_LINE = 1 << 20
# Of the lines that carry a mark so many bytes are given apart; all of them stand in the window.
MOST_MARKED = 8 << 20


@dataclass(slots=True)
class AuditWindow:
    """Gives the lines between two aware times; `marks` are texts whose lines are also collected.

    `whole` is the hash of all that was read of the file, in or out of the window.
    """

    file: BinaryIO
    before: os.stat_result
    start: datetime
    end: datetime
    marks: tuple[str, ...] = ()
    lines: int = 0
    kept: int = 0
    untimed: int = 0
    size: int = 0
    given: int = 0
    marked: list[dict[str, Any]] = field(default_factory=list)
    marked_lines: int = 0
    broken: str = ""
    whole: Any = field(default_factory=hashlib.sha256)
    _room: int = MOST_MARKED

    def read(self) -> bytes:
        """Return the next lines of the window, about 1 MiB; empty at the end."""
        found: list[bytes] = []
        size = 0
        while size < BLOCK and (line := self._line()):
            self.lines += 1
            self.size += len(line)
            self.whole.update(line)
            if self._within(line):
                self.kept += 1
                self._mark(line)
                found.append(line)
                size += len(line)
        self.given += size
        return b"".join(found)

    def stable(self) -> bool:
        """Return whether it is still the same file, and has not become shorter: logs grow."""
        now = os.fstat(self.file.fileno())
        same = (now.st_ino, now.st_dev) == (self.before.st_ino, self.before.st_dev)
        return same and now.st_size >= self.before.st_size

    def all_gaps(self) -> tuple[Gap, ...]:
        """Return that the rest could not be read, where that is so."""
        left = max(1, self.before.st_size - self.size)
        return (Gap(self.given, left, self.broken),) if self.broken else ()

    def _line(self) -> bytes:
        if self.broken:
            return b""
        try:
            return self.file.readline(MOST_LINE)
        except (OSError, EOFError, zlib.error) as error:
            # Cut or altered gzip too: what came before is kept, and this is said.
            self.broken = f"it could not be read further: {type(error).__name__}"
            return b""

    def _within(self, line: bytes) -> bool:
        at = _time(line)
        if at is None:
            self.untimed += 1
            return True
        return self.start <= at <= self.end

    def _mark(self, line: bytes) -> None:
        text = line.decode("utf-8", errors="backslashreplace").rstrip("\n")
        if not any(mark in text for mark in self.marks):
            return
        self.marked_lines += 1
        self._room -= len(line)
        if self._room >= 0:
            self.marked.append({"line": self.lines, "text": text})


def _time(line: bytes) -> datetime | None:
    try:
        told = json.loads(line)["time"]
        at = datetime.fromisoformat(told)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return at.astimezone(UTC) if at.tzinfo else None


def marks_of(known: Iterable[str]) -> tuple[str, ...]:
    """Return marks that are no accident: each of eight characters at least, once."""
    return tuple(dict.fromkeys(one for one in known if len(one) >= 8))
