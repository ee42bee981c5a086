"""Looks whether what lies in a bucket is what was put there: by S3's checksums and by its bytes.

What was just put is compared with S3's own checksum, and read back: whole, or of several parts the
first, the last and one by chance. What lay there before, and what S3 has no checksum of, is read
whole. So S3 is never believed on its checksum alone, nor on what it once accepted.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError

from evidence.errors import LockerError
from evidence.manifest_values import Part
from evidence.s3_bucket import Bucket
from evidence.s3_upload import composite, encoded

CHUNK = 1 << 20


def prove(
    bucket: Bucket,
    sha256: str,
    version: str,
    parts: Sequence[Part],
    randomness: Callable[[int], bytes],
    *,
    fresh: bool,
) -> Any:
    """Return HeadObject's answer on a version, once it is known to be the artifact of that hash.

    `parts` are what it was staged in; `fresh` says that it was put so, just now.

    Raises:
        LockerError: when its checksum, its size or its bytes are another's.
    """
    head = bucket.head(sha256, version)
    size = sum(part.size for part in parts)
    if head["ContentLength"] != size:
        raise LockerError(_unlike(bucket, sha256, f"{head['ContentLength']} bytes, not {size}"))
    said = head.get("ChecksumSHA256")
    if fresh and said:
        _refuse_unlike(bucket, sha256, said, parts)
    if fresh and said and len(parts) > 1:
        _refuse_other_parts(bucket, sha256, version, parts)
        for number in _some(len(parts), randomness):
            _look_at_part(bucket, sha256, version, parts, number)
    else:
        with opened(bucket, sha256, version) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise LockerError(_unlike(bucket, sha256, f"SHA-256 {found}"))
    return head


def opened(
    bucket: Bucket, sha256: str, version: str, first: int = 0, size: int | None = None
) -> io.BufferedReader:
    """Return a stream of a version's bytes, or of `size` of them from `first` on, unchecked.

    Raises:
        LockerError: when it is not there, or S3 does not give it; so does each read.
    """
    part = {} if size is None else {"Range": f"bytes={first}-{first + size - 1}"}
    answer = bucket.call("get_object", Key=bucket.key(sha256), VersionId=version, **part)
    return io.BufferedReader(_Body(answer["Body"], sha256), CHUNK)


class _Body(io.RawIOBase):
    """A body as botocore gives it, as a file; what breaks off under way is a LockerError."""

    def __init__(self, body: Any, sha256: str) -> None:
        self._body = body
        self._sha256 = sha256

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        view = memoryview(into).cast("B")
        try:
            data = self._body.read(len(view))
        except (BotoCoreError, OSError) as error:
            why = type(error).__name__
            raise LockerError(f"artifact {self._sha256} cannot be read to its end: {why}") from None
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def _refuse_unlike(bucket: Bucket, sha256: str, said: str, parts: Sequence[Part]) -> None:
    checksum, dash, count = said.partition("-")
    wanted = encoded(sha256) if len(parts) == 1 else composite(parts)
    if checksum != wanted or (dash and count != str(len(parts))):
        raise LockerError(_unlike(bucket, sha256, f"checksum {said}, not {wanted}"))


def _refuse_other_parts(bucket: Bucket, sha256: str, version: str, parts: Sequence[Part]) -> None:
    """Compare what S3 says of each part; a store that says nothing of them is read instead."""
    found: list[tuple[int, str]] = []
    marker = 0
    while True:
        answer = bucket.call(
            "get_object_attributes",
            Key=bucket.key(sha256),
            VersionId=version,
            ObjectAttributes=["ObjectParts"],
            PartNumberMarker=marker,
        ).get("ObjectParts", {})
        found += [(p["Size"], p.get("ChecksumSHA256", "")) for p in answer.get("Parts", ())]
        if not answer.get("IsTruncated"):
            break
        marker = answer["NextPartNumberMarker"]
    if found and found != [(part.size, encoded(part.sha256)) for part in parts]:
        raise LockerError(_unlike(bucket, sha256, "other parts than were put"))


def _some(count: int, randomness: Callable[[int], bytes]) -> list[int]:
    chosen = int.from_bytes(randomness(8), "big") % count
    return sorted({0, chosen, count - 1})


def _look_at_part(
    bucket: Bucket, sha256: str, version: str, parts: Sequence[Part], number: int
) -> None:
    start = sum(part.size for part in parts[:number])
    with opened(bucket, sha256, version, start, parts[number].size) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != parts[number].sha256:
        raise LockerError(_unlike(bucket, sha256, f"part {number + 1} with SHA-256 {found}"))


def _unlike(bucket: Bucket, sha256: str, what: str) -> str:
    return (
        f"what lies in bucket {bucket.name} under the name of artifact {sha256} is another: {what}."
        " Nothing was sealed; look who writes to the bucket"
    )
