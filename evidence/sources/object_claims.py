"""What S3 says of an object version, and which of its checksums the content can be held against.

The claims are S3's: an ETag is a hash of the content for some objects only, and a COMPOSITE
checksum is one over the checksums of the parts. Neither is ever compared with the content's hash;
only a FULL_OBJECT checksum is, where Python can compute it (S3 User Guide, "Checking object
integrity"; API reference, GetObject).
"""

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

MEMBERS = (
    "ETag VersionId LastModified ContentLength ContentType ContentEncoding StorageClass "
    "ServerSideEncryption SSEKMSKeyId BucketKeyEnabled PartsCount ReplicationStatus Metadata "
    "MissingMeta ObjectLockMode ObjectLockRetainUntilDate ObjectLockLegalHoldStatus TagCount "
    "Expiration Restore WebsiteRedirectLocation"
).split()

Verdict = Literal["agrees", "differs", "not compared"]


class Digest(Protocol):
    """A running checksum, as hashlib has them."""

    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc32:
    """CRC-32 as S3 writes it: four bytes, most significant first."""

    def __init__(self) -> None:
        self.value = 0

    def update(self, data: bytes, /) -> None:
        self.value = zlib.crc32(data, self.value)

    def digest(self) -> bytes:
        return self.value.to_bytes(4, "big")


_KINDS: Mapping[str, Callable[[], Digest]] = {
    "SHA512": hashlib.sha512,
    "SHA256": hashlib.sha256,
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "MD5": lambda: hashlib.md5(usedforsecurity=False),
    "CRC32": _Crc32,
}


@dataclass(slots=True)
class Check:
    """One checksum that S3 claims, computed again while the content is read."""

    algorithm: str
    claimed: str
    running: Digest

    def verdict(self) -> Verdict:
        """Return how the claim stands to the content, once it was read to its end."""
        found = base64.b64encode(self.running.digest()).decode("ascii")
        return "agrees" if found == self.claimed else "differs"


def claims_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a GetObject response says of the object, with its checksums as they came."""
    found = {name: response[name] for name in MEMBERS if name in response}
    sums = checksums_of(response)
    kind = response.get("ChecksumType")
    return found | {"Checksums": sums} | ({"ChecksumType": kind} if kind else {})


def checksums_of(response: Mapping[str, Any]) -> dict[str, str]:
    """Return the checksums by algorithm, as SHA256 or CRC64NVME."""
    prefix = "Checksum"
    return {
        name.removeprefix(prefix): value
        for name, value in sorted(response.items())
        if name.startswith(prefix) and name != "ChecksumType" and isinstance(value, str)
    }


def check_of(response: Mapping[str, Any]) -> tuple[Check | None, str]:
    """Return the strongest checksum that can be computed again, or none and why not."""
    sums = checksums_of(response)
    if not sums:
        return None, "S3 has no checksum of this object"
    # A composite value ends in the number of parts; it says so even where the type is not told.
    if response.get("ChecksumType") == "COMPOSITE" or any("-" in v for v in sums.values()):
        return None, "the checksum is a composite of the parts' checksums, not of the content"
    for algorithm, make in _KINDS.items():
        if algorithm in sums:
            return Check(algorithm, sums[algorithm], make()), ""
    return None, f"{', '.join(sums)} is not computed here"
