"""A bundle as a tar, the same bytes for the same files: sorted, no times, no owners, mode 0600.

POSIX.1-2001 (pax); extended headers only for files of 8 GiB and more. Reading takes only what
writing gives: plain files with plain names, in order. Standard library only.
"""

import os
import shutil
import stat
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, cast

from evidence import bag
from evidence.errors import BundleError

PIECE = 1 << 20
MAX_FILES = 1_000_000


class Sink(Protocol):
    """Where a tar goes."""

    def write(self, data: bytes) -> int:
        """Take some bytes; return how many."""


def write(folder: Path, into: Sink) -> None:
    """Write the files below `folder` as a tar.

    Raises:
        BundleError: for a link, a device, or a name that no bundle has.
    """
    # A stream is only ever written to, but typed as if it were a whole file.
    with tarfile.open(mode="w|", fileobj=cast("Any", into), format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).as_posix()):
            name, status = path.relative_to(folder).as_posix(), path.lstat()
            if stat.S_ISDIR(status.st_mode):
                continue
            if not stat.S_ISREG(status.st_mode) or not bag.is_plain(name):
                raise BundleError(f"{ascii(name)[:200]} is no plain file with a plain name")
            member = tarfile.TarInfo(name)
            member.size, member.mode = status.st_size, 0o600
            with path.open("rb") as file:
                tar.addfile(member, file)


def read(pieces: Iterator[bytes], out: Path) -> None:
    """Write the files of a tar, given in pieces, into the new folder `out`; all of it or nothing.

    What `pieces` raises (a piece that does not decrypt) comes through.

    Raises:
        BundleError: when it is no tar that `write` wrote, or `out` exists.
    """
    try:
        out.mkdir(mode=0o700)
    except FileExistsError as error:
        raise BundleError(f"{out} exists; nothing is written over. Choose a new path") from error
    source = _Source(pieces)
    with ExitStack() as half_done:
        half_done.callback(shutil.rmtree, out)
        try:
            with tarfile.open(mode="r|", fileobj=cast("Any", source)) as tar:
                _unpack(tar, out)
        except (tarfile.TarError, EOFError, UnicodeError, ValueError, OverflowError) as error:
            raise BundleError(f"the tar inside is damaged: {error}") from error
        # The end of the tar is not the end of the pieces: the last one says whether it was cut.
        for piece in pieces:
            if piece.strip(b"\0"):
                raise BundleError("something stands behind the end of the tar inside")
        half_done.pop_all()


def _unpack(tar: tarfile.TarFile, out: Path) -> None:
    last, count = "", 0
    for member in tar:
        count += 1
        if member.type != tarfile.REGTYPE or member.issparse() or not bag.is_plain(member.name):
            raise BundleError(f"the tar inside holds {ascii(member.name)[:200]}, no plain file")
        if member.name <= last or count > MAX_FILES:
            raise BundleError(f"the tar inside holds {member.name} out of order or twice")
        last = member.name
        file = tar.extractfile(member)
        if file is None:
            raise BundleError(f"the tar inside holds {member.name}, which has no content")
        path = out / member.name
        try:
            for folder in reversed(path.relative_to(out).parents):
                (out / folder).mkdir(mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(path, flags, 0o600), "wb") as into:
                shutil.copyfileobj(file, into, PIECE)
        except OSError as error:
            raise BundleError(f"{path} cannot be written: {error.strerror}") from error


class _Source:
    """What a tar is read from: pieces, given out in the sizes that are asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            if not self._rest:
                self._rest = next(self._pieces, b"")
            if not self._rest:
                break
            part, self._rest = self._rest[:left], self._rest[left:]
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
