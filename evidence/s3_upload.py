"""Puts what is staged into a bucket: only where nothing is, checked by S3, and locked from then on.

S3 compares each request's bytes with the SHA-256 that was computed while they were taken in, and
refuses others (BadDigest). Several parts are one object only once all of them are there; its own
checksum is over the parts' digests (`composite`), never over its bytes.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from evidence.errors import LockerError, StoreRefusedError
from evidence.manifest_values import Part
from evidence.s3_bucket import Bucket
from evidence.s3_stage import Stage

# Somebody put the same key at the same time: S3 asks to try again, and then it is there.
TRIES = 3
CONFLICTS = ("ConditionalRequestConflict", "OperationAborted")
# There already. A repeated end of an upload that was ended, its answer lost, finds no upload.
THERE = ("PreconditionFailed", "NoSuchUpload")


def upload(bucket: Bucket, sha256: str, stage: Stage, how: Mapping[str, Any]) -> bool:
    """Put the staged bytes under their hash; return False where something lay there before.

    `how` are the members for locks and encryption that PutObject and CreateMultipartUpload share.

    Raises:
        StoreRefusedError: when S3 does not take it; what was half put is then taken back.
        LockerError: when the stage no longer has its bytes.
    """
    put = _whole if len(stage.parts()) == 1 else _in_parts
    # Else a retry would send all of a large one to learn at its end that it is there.
    if put is _in_parts and bucket.versions(sha256).ids:
        return False
    for left in reversed(range(TRIES)):
        try:
            put(bucket, bucket.key(sha256), stage, how)
        except StoreRefusedError as error:
            if error.code in THERE:
                return False
            if error.code not in CONFLICTS or not left:
                raise
        else:
            return True
    return False


def encoded(sha256: str) -> str:
    """Return a SHA-256 in hex as S3 writes it: in base64."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def composite(parts: Iterable[Part]) -> str:
    """Return S3's checksum of an object in parts, in base64 and without its `-N`."""
    digests = b"".join(bytes.fromhex(part.sha256) for part in parts)
    return encoded(hashlib.sha256(digests).hexdigest())


def _whole(bucket: Bucket, key: str, stage: Stage, how: Mapping[str, Any]) -> None:
    (part,) = stage.parts()
    bucket.call(
        "put_object",
        Key=key,
        Body=stage.read(0),
        IfNoneMatch="*",
        ChecksumAlgorithm="SHA256",
        ChecksumSHA256=encoded(part.sha256),
        **how,
    )


def _in_parts(bucket: Bucket, key: str, stage: Stage, how: Mapping[str, Any]) -> None:
    begun = bucket.call("create_multipart_upload", Key=key, ChecksumAlgorithm="SHA256", **how)
    where = {"Key": key, "UploadId": begun["UploadId"]}
    done = False
    try:
        listed = [
            _part(bucket, where, stage, number, part) for number, part in enumerate(stage.parts())
        ]
        bucket.call(
            "complete_multipart_upload",
            MultipartUpload={"Parts": listed},
            IfNoneMatch="*",
            **where,
        )
        done = True
    finally:
        if not done:
            # What a crash leaves, the bucket's lifecycle rule clears away.
            with suppress(LockerError):
                bucket.call("abort_multipart_upload", **where)


def _part(
    bucket: Bucket, where: Mapping[str, Any], stage: Stage, number: int, part: Part
) -> dict[str, Any]:
    checksum = encoded(part.sha256)
    answer = bucket.call(
        "upload_part",
        PartNumber=number + 1,
        Body=stage.read(number),
        ChecksumAlgorithm="SHA256",
        ChecksumSHA256=checksum,
        **where,
    )
    return {"PartNumber": number + 1, "ETag": answer["ETag"], "ChecksumSHA256": checksum}
