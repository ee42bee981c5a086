"""What taking evidence into custody, and reading it back, need of the place where it lies.

A folder (`locker`) is the embedded default; a bucket that locks its objects (`s3_store`) is what
production has. Both write each artifact once under the SHA-256 of its bytes, and delete nothing:
disposal destroys an artifact's own key (`erasable`), and its ciphertext goes on proving its hash.
"""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO, Protocol

from evidence.custody.locks import Locks
from evidence.erasable import ErasableKeys
from evidence.ingest import Ingested, Read
from evidence.locker import Stored, StoredSealed

if TYPE_CHECKING:
    from evidence.keys import Wrapper


class ArtifactStore(Protocol):
    """Where artifacts lie. Every method but `over` raises LockerError for what it cannot do."""

    @property
    def keys(self) -> ErasableKeys:
        """The erasable keys of its sensitive artifacts, which never lie in the store itself."""

    @property
    def locks(self) -> Locks | None:
        """How its objects are locked; None where it has no locks."""

    def put(self, source: bytes | BinaryIO | Read) -> Stored:
        """Store bytes, a stream or what a reader gives; what is there already is stored once."""

    def put_sealed(
        self, read: Read, wrap: "Wrapper", about: Mapping[str, str] | None = None
    ) -> tuple[StoredSealed, Ingested]:
        """Store what `read` gives, encrypted under a key of its own; `about` is for the wrapper."""

    def open(self, sha256: str, version: str | None = None) -> io.BufferedReader:
        """Return a stream of the stored bytes, unchecked; of that version where one is named."""

    def read(self, sha256: str, version: str | None = None) -> bytes:
        """Return the stored bytes, checked against their name."""

    def there(self, sha256: str) -> bool:
        """Return whether anything has that name, readable or not."""

    def over(self, sha256: str) -> str:
        """Return in words what was laid over an artifact since it was stored; empty for nothing."""

    def refuse_unfit(self) -> None:
        """Check that the place can keep evidence at all, saying what to do where it cannot."""
