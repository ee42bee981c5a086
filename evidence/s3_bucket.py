"""The bucket that artifacts lie in: its calls, its versions, and whether it is fit for evidence.

Every call names the account that owns the bucket, so that nobody's bucket of the same name gets
evidence (Amazon S3 User Guide, "Verifying bucket ownership with bucket owner condition").
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from evidence.errors import LockerError, StoreRefusedError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PUBLIC = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_ADVICE = {
    "AccessDenied": "`stanch permissions` prints what the role needs; look at the bucket's policy",
    "BadDigest": "the bytes were altered on their way; try again",
    "NoSuchBucket": "look at `store` in the settings",
}
# Those of GetObjectLockConfiguration and GetPublicAccessBlock for what was never set.
UNSET = ("ObjectLockConfigurationNotFoundError", "NoSuchPublicAccessBlockConfiguration")


@dataclass(frozen=True, slots=True)
class Versions:
    """The ids of a key's versions, the oldest first, and how many markers delete it."""

    ids: tuple[str, ...]
    markers: int

    @property
    def over(self) -> str:
        """What was laid over the first of them, in words; empty for nothing."""
        laid = [(max(len(self.ids) - 1, 0), "later version"), (self.markers, "delete marker")]
        return ", ".join(f"{count} {what}{'s' * (count > 1)}" for count, what in laid if count)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket; `prefix` is empty or ends with a slash, `owner` is the account's 12 digits.

    `client` makes the S3 client when it is first needed.
    """

    name: str
    prefix: str
    owner: str
    client: Callable[[], Any]

    def call(self, operation: str, **asked: Any) -> Any:
        """Return what S3 answers to an operation of boto3's client on this bucket.

        Raises:
            StoreRefusedError: with the code of S3's error, or the kind of the network's.
        """
        try:
            method = getattr(self.client(), operation)
            return method(Bucket=self.name, ExpectedBucketOwner=self.owner, **asked)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "an error"))
        except BotoCoreError as error:
            code = type(error).__name__
        # Not S3's own message: it may quote a key, an endpoint or who asked.
        advice = _ADVICE.get(code, "nothing was sealed on its word; look at S3 and the network")
        said = f"S3 answered {code} to {operation} in bucket {self.name}: {advice}"
        raise StoreRefusedError(said, code) from None

    def key(self, sha256: str) -> str:
        """Return the key of an artifact of that hash, stored or not.

        Raises:
            LockerError: when the name is no SHA-256 in hex.
        """
        if not _SHA256.fullmatch(sha256):
            raise LockerError(f"{sha256[:80]!r} is no artifact name; expected a SHA-256 in hex")
        return f"{self.prefix}{sha256[:2]}/{sha256}"

    def versions(self, sha256: str) -> "Versions":
        """Return what lies under an artifact's name, from the version that was put first on."""
        key, found, markers = self.key(sha256), [], 0
        more: dict[str, str] = {}
        while True:
            page = self.call("list_object_versions", Prefix=key, **more)
            found += [v["VersionId"] for v in page.get("Versions", ()) if v["Key"] == key]
            markers += sum(m["Key"] == key for m in page.get("DeleteMarkers", ()))
            if not page.get("IsTruncated"):
                # S3 lists the newest first (API Reference, ListObjectVersions).
                return Versions(tuple(reversed(found)), markers)
            more = {
                "KeyMarker": page["NextKeyMarker"],
                "VersionIdMarker": page["NextVersionIdMarker"],
            }

    def first(self, sha256: str) -> str:
        """Return the id of the version that was put first: the artifact itself.

        It is put only where there is none, and locked; whatever comes later lies over it.

        Raises:
            LockerError: when there is none.
        """
        found = self.versions(sha256)
        if not found.ids:
            gone = "was deleted from" if found.markers else "is not in"
            raise LockerError(f"artifact {sha256} {gone} bucket {self.name}")
        return found.ids[0]

    def head(self, sha256: str, version: str) -> Any:
        """Return what HeadObject says of a version, with its checksum and its locks."""
        return self.call(
            "head_object", Key=self.key(sha256), VersionId=version, ChecksumMode="ENABLED"
        )

    def refuse_unfit(self) -> None:
        """Check that the bucket keeps versions, can lock them, and is closed to the public.

        Raises:
            LockerError: naming all that is wrong, and what to do. StoreRefusedError: as `call`.
        """
        wrong = []
        if self.call("get_bucket_versioning").get("Status") != "Enabled":
            wrong.append("it does not keep versions")
        lock = self._set("get_object_lock_configuration", "ObjectLockConfiguration")
        if lock.get("ObjectLockEnabled") != "Enabled":
            wrong.append("Object Lock is off")
        public = self._set("get_public_access_block", "PublicAccessBlockConfiguration")
        if opened := [name for name in _PUBLIC if public.get(name) is not True]:
            wrong.append(f"public access is not blocked ({', '.join(opened)})")
        if wrong:
            raise LockerError(
                f"bucket {self.name} is not fit for evidence: {'; '.join(wrong)}. Set it up as in "
                "docs/operations/storage.md; nothing is stored there before"
            )

    def _set(self, operation: str, member: str) -> Any:
        try:
            return self.call(operation).get(member, {})
        except StoreRefusedError as error:
            if error.code in UNSET:
                return {}
            raise
