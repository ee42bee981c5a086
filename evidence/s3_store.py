"""Artifacts in a bucket with Object Lock: each under the SHA-256 of its bytes, locked when put.

Bytes are taken in by one pass into a private file (`s3_stage`), put where nothing is (`s3_upload`),
and looked at again (`s3_proof`). A retry after a crash finds the object there, looks that it is the
same, locks it as it would have, and goes on. Nothing here deletes or shortens, and the role needs
no permission to. The keys that can be erased lie in a folder beside home, never in the bucket.
"""

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from evidence.erasable import ErasableKeys
from evidence.errors import LockerError
from evidence.ingest import Ingested, Read, from_stream, ingest
from evidence.leaf import stamp
from evidence.locker import Stored, StoredSealed
from evidence.s3_bucket import Bucket
from evidence.s3_locks import COMPLIANCE, S3Locks, held, retained, whole_second
from evidence.s3_proof import opened, prove
from evidence.s3_stage import Stage, staged
from evidence.s3_upload import upload
from evidence.sealed import fresh, keyed_digest

if TYPE_CHECKING:
    from evidence.keys import Wrapper

# A part is held in memory while it is sent, and 10,000 of them are the most.
PART = 64 << 20


@dataclass(frozen=True, slots=True)
class Terms:
    """How objects are locked and encrypted: least retention, mode, ARN of a KMS key or none.

    `part` is in bytes; what is larger is uploaded in parts of that size.
    """

    retention: timedelta
    mode: str = COMPLIANCE
    kms_key: str | None = None
    part: int = PART


@dataclass(frozen=True, slots=True)
class S3Store:
    """A bucket of artifacts; `staging` is a folder of this host that is Stanch's alone.

    `now()` is an aware time; `randomness(n)` gives n random bytes. What is put is under legal hold
    where `held`, and kept until `until` (RFC 3339, UTC) where that is later than by the terms.
    """

    bucket: Bucket
    keys: ErasableKeys
    staging: Path
    terms: Terms
    now: Callable[[], datetime]
    randomness: Callable[[int], bytes] = os.urandom
    held: bool = False
    until: str | None = None
    # Where the bucket was found fit, once a process.
    _fit: list[bool] = field(default_factory=list)

    @property
    def locks(self) -> S3Locks:
        """How its objects are locked."""
        return S3Locks(self.bucket, self.terms.mode)

    def locking(self, *, held: bool, until: str | None) -> "S3Store":
        """Return the store that puts its objects under these locks from the first moment."""
        return replace(self, held=held, until=until)

    def put(self, source: bytes | BinaryIO | Read) -> Stored:
        """Store bytes, a stream or what a reader gives, to its end, hashing on the way.

        Returns once S3 has the bytes, gave them back, and says that they are locked.

        Raises:
            LockerError: when S3 does not take or lock them, or another content has the name.
        """
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        read = stream if callable(stream) else from_stream(stream)
        digest = hashlib.sha256()
        with self._staged() as stage:
            while chunk := read():
                digest.update(chunk)
                stage.write(chunk)
            return self._keep(stage, digest.hexdigest())

    def put_sealed(
        self, read: Read, wrap: "Wrapper", about: Mapping[str, str] | None = None
    ) -> tuple[StoredSealed, Ingested]:
        """Store what `read` gives encrypted under a key of its own, named by the ciphertext's hash.

        Raises:
            LockerError: as `put`. What `read` raises passes; nothing then is in the bucket.
            KeyServiceError: when the wrapping key lives elsewhere and is not to be had.
        """
        made = fresh(wrap, self.randomness, about)
        with self._staged() as stage:
            found = ingest(read, stage.write, made.cipher)
            # Before the artifact is there, so that none ever is and cannot be read.
            self.keys.put(found.stored_sha256, made.erasable)
            stored = self._keep(stage, found.stored_sha256)
        digest = keyed_digest(found.plain_sha256, made.data_key)
        return StoredSealed(stored, made.encryption, digest, found.plain_size), found

    def open(self, sha256: str, version: str | None = None) -> io.BufferedReader:
        """Return a stream of an artifact's stored bytes, unchecked; always of a named version.

        That is the one put first, unless the caller knows its id: what was put over it later, or
        a marker that deletes it, is never read.

        Raises:
            LockerError: when there is none, or S3 does not give it; so does each read.
        """
        return opened(self.bucket, sha256, version or self.bucket.first(sha256))

    def read(self, sha256: str, version: str | None = None) -> bytes:
        """Return an artifact's stored bytes, checked against its name.

        Raises:
            LockerError: as `open`; when its bytes are another's.
        """
        with self.open(sha256, version) as file:
            data = file.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise LockerError(f"artifact {sha256} is altered in the bucket; restore it from a copy")
        return data

    def there(self, sha256: str) -> bool:
        """Return whether there is any version of that name."""
        return bool(self.bucket.versions(sha256).ids)

    def over(self, sha256: str) -> str:
        """Return what was laid over an artifact: versions put later, or markers that delete it."""
        return self.bucket.versions(sha256).over

    def refuse_unfit(self) -> None:
        """Check that the bucket keeps versions, locks, and is closed; see `Bucket.refuse_unfit`."""
        self.bucket.refuse_unfit()

    @contextmanager
    def _staged(self) -> Iterator[Stage]:
        if not self._fit:
            self.refuse_unfit()
            self._fit.append(True)
        with staged(self.staging, self.terms.part) as stage:
            yield stage

    def _keep(self, stage: Stage, sha256: str) -> Stored:
        parts = stage.parts()
        until = self._until()
        new = upload(self.bucket, sha256, stage, self._how(until))
        found = self.bucket.versions(sha256)
        if not found.ids:
            raise LockerError(f"S3 took artifact {sha256}, and does not list it; try again")
        # What is put over a marker that deletes it is not the artifact: the one below it is.
        version, new = found.ids[0], new and not found.over
        head = prove(self.bucket, sha256, version, parts, self.randomness, fresh=new)
        self._lock(sha256, head, until)
        size = sum(part.size for part in parts)
        key = self.bucket.key(sha256)
        return Stored(sha256, size, key, version, parts if len(parts) > 1 else ())

    def _until(self) -> str:
        return max(stamp(self.now() + self.terms.retention), self.until or "")

    def _how(self, until: str) -> dict[str, Any]:
        kms = self.terms.kms_key
        return {
            "ContentType": "application/octet-stream",
            "ObjectLockMode": self.terms.mode,
            "ObjectLockRetainUntilDate": whole_second(until),
            "ObjectLockLegalHoldStatus": "ON" if self.held else "OFF",
            "ServerSideEncryption": "aws:kms" if kms else "AES256",
        } | ({"SSEKMSKeyId": kms} if kms else {})

    def _lock(self, sha256: str, head: Any, until: str) -> None:
        """Lock what is not locked as it should be, as what lay there before, and look again."""
        locks, mode = self.locks, self.terms.mode
        if (retained(head, mode) or "") < until:
            locks.retain(sha256, until)
            if (locks.retained(sha256) or "") < until:
                raise LockerError(f"artifact {sha256} is not kept until {until}, as S3 was told")
        if self.held and not held(head):
            locks.set_hold(sha256, True)
            if not locks.hold(sha256):
                raise LockerError(f"artifact {sha256} is not under legal hold, as S3 was told")
