"""Checks CloudTrail's digest files offline: who signed them, whether one follows another. Pure.

A digest names the log files of about an hour with their SHA-256 (uncompressed), and the digest
before it with that one's hash and signature. It is signed, SHA256withRSA (PKCS #1 v1.5), over four
lines: its end time, `bucket/object`, the SHA-256 of its uncompressed bytes in hex, and the previous
digest's signature in hex, or `null` where it is the first. The signature lies in the object's
metadata. (CloudTrail User Guide, "CloudTrail digest file structure", "Custom implementations of
CloudTrail log file integrity validation".)
"""

import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from evidence.errors import SourceError

ALGORITHM = "SHA256withRSA"
# An hour's digest names a few hundred files in some 300 bytes each.
MOST = 64 << 20
BACKFILL = "_backfill.json.gz"

Kind = Literal[
    "digest_unreadable",
    "digest_misplaced",
    "digest_unsigned",
    "digest_key_unknown",
    "digest_altered",
    "digest_missing",
    "chain_broken",
    "chain_restarted",
    "time_uncovered",
    "log_altered",
    "log_missing",
    "log_unlisted",
    "object_touched",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: its kind, the object (`bucket/key`, or empty), and what was expected."""

    kind: Kind
    object: str
    why: str

    def json(self) -> dict[str, str]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of ListPublicKeys: PKCS #1 in DER, and the aware times it signs between."""

    fingerprint: str
    der: bytes
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Log:
    """A log file as a digest names it: `bucket/key`, and the SHA-256 of its content in hex."""

    object: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest file: where it was found and says it lies, its times, and what it vouches for.

    `made` is when a backfill digest was signed; other digests are at their end. `previous` is the
    `bucket/key` of the digest before, empty where it is the first.
    """

    found: str
    object: str
    start: datetime
    end: datetime
    made: datetime
    end_text: str
    fingerprint: str
    sha256: str
    signature: str
    algorithm: str
    previous: str
    previous_sha256: str
    previous_signature: str
    logs: tuple[Log, ...]

    @property
    def backfill(self) -> bool:
        """Whether it names files that came late; such a digest is in no chain."""
        return self.found.endswith(BACKFILL)


def read_digest(found: str, body: bytes, metadata: dict[str, str]) -> Digest:
    """Read a digest from its file, gzip as it lies in S3, and the object's user metadata.

    Raises:
        SourceError: when it is no digest.
    """
    try:
        unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
        text = unpacker.decompress(body, MOST)
        if not unpacker.eof:
            raise SourceError(f"digest {found} is cut off, or over {MOST} bytes")
        return _digest(found, text, json.loads(text), metadata)
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = "expected gzip with the members of a CloudTrail digest"
        raise SourceError(f"digest {found} cannot be read: {why}") from error


def signature_fault(digest: Digest, keys: Iterable[PublicKey]) -> Fault | None:
    """Return why a digest does not count as CloudTrail's own, or nothing where it does."""
    if digest.found != digest.object:
        why = f"it says that it lies at {digest.object}: it was copied or renamed"
        return Fault("digest_misplaced", digest.found, why)
    if not digest.signature or digest.algorithm != ALGORITHM:
        why = f"expected metadata with a signature of {ALGORITHM}, found {digest.algorithm!r}"
        return Fault("digest_unsigned", digest.found, why)
    fitting = [key for key in keys if key.fingerprint == digest.fingerprint]
    valid = [key for key in fitting if key.start <= digest.made <= key.end]
    if not valid:
        lacks = "was not valid at its time" if fitting else "is not among the public keys"
        return Fault("digest_key_unknown", digest.found, f"key {digest.fingerprint} {lacks}")
    signed = "\n".join(
        (digest.end_text, digest.object, digest.sha256, digest.previous_signature or "null")
    )
    if any(_signed(key.der, digest.signature, signed.encode()) for key in valid):
        return None
    why = "its signature is not of these bytes at this place and time, after that digest"
    return Fault("digest_altered", digest.found, why)


def chain_faults(digests: Iterable[Digest]) -> list[Fault]:
    """Return where digests do not follow one another; those of a wrong place are left out."""
    chain = _in_order(d for d in digests if d.found == d.object)
    return [fault for pair in itertools.pairwise(chain) for fault in _link(*pair)]


def uncovered(digests: Iterable[Digest], start: datetime, end: datetime) -> list[Fault]:
    """Return what time between two aware times none of these digests covers.

    The chain cannot tell this of its end: what was cut off there leaves no trace in it.
    """
    faults, at = [], start
    for digest in _in_order(digests):
        if digest.start > at:
            faults.append(_uncovered(digest.found, at, min(digest.start, end)))
        at = max(at, digest.end)
    return faults + ([_uncovered("", at, end)] if at < end else [])


def _in_order(digests: Iterable[Digest]) -> list[Digest]:
    return sorted((d for d in digests if not d.backfill), key=lambda d: (d.end, d.found))


def _link(before: Digest, after: Digest) -> Iterator[Fault]:
    if not after.previous:
        why = "it is the first of a chain: logging or validation had been turned off"
        yield Fault("chain_restarted", after.found, why)
    elif after.previous != before.found:
        why = f"{after.found} follows it, and it was not found"
        yield Fault("digest_missing", after.previous, why)
    elif (after.previous_sha256, after.previous_signature) != (before.sha256, before.signature):
        why = f"{after.found} names it with another hash or signature"
        yield Fault("chain_broken", before.found, why)


def _uncovered(near: str, start: datetime, end: datetime) -> Fault:
    return Fault("time_uncovered", near, f"no digest covers {start.isoformat()}/{end.isoformat()}")


def _signed(der: bytes, signature: str, text: bytes) -> bool:
    try:
        key = load_der_public_key(der)
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        key.verify(bytes.fromhex(signature), text, padding.PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def _digest(found: str, text: bytes, said: Any, metadata: dict[str, str]) -> Digest:
    end = _time(said["digestEndTime"])
    made = metadata.get("backfill-generation-timestamp")
    previous = said.get("previousDigestS3Object")
    return Digest(
        found=found,
        object=f"{said['digestS3Bucket']}/{said['digestS3Object']}",
        start=_time(said["digestStartTime"]),
        end=end,
        made=_time(made) if made and found.endswith(BACKFILL) else end,
        end_text=said["digestEndTime"],
        fingerprint=said["digestPublicKeyFingerprint"],
        sha256=hashlib.sha256(text).hexdigest(),
        signature=metadata.get("signature", ""),
        algorithm=metadata.get("signature-algorithm", ""),
        previous=f"{said['previousDigestS3Bucket']}/{previous}" if previous else "",
        previous_sha256=said.get("previousDigestHashValue") or "",
        previous_signature=said.get("previousDigestSignature") or "",
        logs=_logs(said["logFiles"]),
    )


def _logs(named: Sequence[Any]) -> tuple[Log, ...]:
    if any(one["hashAlgorithm"] != "SHA-256" for one in named):
        raise ValueError("not SHA-256")
    return tuple(Log(f"{n['s3Bucket']}/{n['s3Object']}", n["hashValue"]) for n in named)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
