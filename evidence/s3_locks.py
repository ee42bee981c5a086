"""Legal holds and retention of objects in a bucket, by S3 Object Lock.

A lock is on the version that was put first: the artifact. In COMPLIANCE mode nobody shortens a
retention, not even the account's owner (Amazon S3 User Guide, "Locking objects with Object Lock");
GOVERNANCE, which some can lift, is for drills. S3 counts whole seconds here: a time is rounded up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from evidence.leaf import stamp
from evidence.s3_bucket import Bucket

COMPLIANCE = "COMPLIANCE"
GOVERNANCE = "GOVERNANCE"


@dataclass(frozen=True, slots=True)
class S3Locks:
    """The locks of a bucket's objects (`custody.locks.Locks`); `mode` is of what it retains."""

    bucket: Bucket
    mode: str = COMPLIANCE

    def set_hold(self, sha256: str, on: bool) -> None:
        """Put an object under legal hold, or take it off."""
        self._tell(sha256, "put_object_legal_hold", LegalHold={"Status": "ON" if on else "OFF"})

    def hold(self, sha256: str) -> bool:
        """Return whether an object is under legal hold."""
        return held(self._head(sha256))

    def retain(self, sha256: str, until: str) -> None:
        """Keep an object until a time (RFC 3339, UTC); nothing happens where it is kept longer."""
        if (self.retained(sha256) or "") < until:
            kept = {"Mode": self.mode, "RetainUntilDate": whole_second(until)}
            self._tell(sha256, "put_object_retention", Retention=kept)

    def retained(self, sha256: str) -> str | None:
        """Return until when an object is kept in this mode; None where nothing keeps it so."""
        return retained(self._head(sha256), self.mode)

    def _head(self, sha256: str) -> Any:
        return self.bucket.head(sha256, self.bucket.first(sha256))

    def _tell(self, sha256: str, operation: str, **how: Any) -> None:
        version = self.bucket.first(sha256)
        self.bucket.call(
            operation,
            Key=self.bucket.key(sha256),
            VersionId=version,
            # S3 takes either only with a checksum of the request.
            ChecksumAlgorithm="SHA256",
            **how,
        )


def held(head: Mapping[str, Any]) -> bool:
    """Return whether HeadObject's answer says legal hold."""
    return head.get("ObjectLockLegalHoldStatus") == "ON"


def retained(head: Mapping[str, Any], mode: str) -> str | None:
    """Return until when HeadObject's answer says that an object is kept in this mode, or more.

    What only GOVERNANCE keeps is not kept where COMPLIANCE is wanted.
    """
    until = head.get("ObjectLockRetainUntilDate")
    if until is None or head.get("ObjectLockMode") not in (mode, COMPLIANCE):
        return None
    return stamp(until.astimezone(UTC))


def whole_second(until: str) -> datetime:
    """Return the whole second at or after a time (RFC 3339, UTC)."""
    time = datetime.fromisoformat(until)
    return time if time.microsecond == 0 else time.replace(microsecond=0) + timedelta(seconds=1)
