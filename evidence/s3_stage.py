"""A private file that what is to be uploaded waits in, hashed part by part as it is written.

An object's key is its SHA-256, known only at the end; a source that is live cannot be read again
when an upload is to be repeated; and what once lies in the bucket is locked there, so a temporary
key could be neither renamed nor removed. The file has no name, so nothing is left of it when the
process ends, however that is; of what is sealed it only ever holds ciphertext.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evidence.errors import LockerError
from evidence.manifest_values import Part

# Amazon S3 User Guide, "Amazon S3 multipart upload limits".
MOST_PARTS = 10_000


class Stage:
    """What was written so far, and its parts of `part` bytes each, the last one shorter."""

    def __init__(self, file: int, part: int) -> None:
        self._file = file
        self._part = part
        self._digest = hashlib.sha256()
        self._filled = 0
        self._done: list[Part] = []

    def write(self, data: bytes | memoryview) -> None:
        """Write all of it.

        Raises:
            LockerError: when it becomes more than an upload can have. OSError: as write(2).
        """
        left = memoryview(data)
        while left:
            if len(self._done) == MOST_PARTS:
                raise LockerError(
                    f"artifact is larger than {MOST_PARTS} parts of {self._part} bytes; make them "
                    "larger (part_mebibytes under [storing])"
                )
            piece = left[: self._part - self._filled]
            left = left[len(piece) :]
            self._digest.update(piece)
            self._filled += len(piece)
            while piece:
                piece = piece[os.write(self._file, piece) :]
            if self._filled == self._part:
                self._done.append(Part(self._filled, self._digest.hexdigest()))
                self._digest, self._filled = hashlib.sha256(), 0

    def parts(self) -> tuple[Part, ...]:
        """Return the parts of what was written; one, and no more than one, where it is small."""
        last = [Part(self._filled, self._digest.hexdigest())]
        return (*self._done, *(last if self._filled or not self._done else ()))

    def read(self, number: int) -> bytes:
        """Return the bytes of a part, counted from 0.

        Raises:
            LockerError: when the file no longer has them.
        """
        wanted = self.parts()[number].size
        data = os.pread(self._file, wanted, number * self._part)
        if len(data) != wanted:
            raise LockerError(f"{len(data)} bytes were read back of {wanted}; check the disk")
        return data


@contextmanager
def staged(folder: Path, part: int) -> Iterator[Stage]:
    """Yield a new stage in a folder (0700) that is made where it is not there."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        yield Stage(file.fileno(), part)
