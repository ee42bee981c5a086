"""Checks a trail's files once more from what was kept of them, with no provider at hand. Pure.

What `TrailFiles` said when it collected need not be believed: the digests, the public keys, S3's
words and the log files are in the locker, and lead to the same faults.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from evidence.errors import SourceError
from evidence.sources.inflated import Inflated
from evidence.sources.item import Stream
from evidence.sources.trail_digest import (
    Digest,
    Fault,
    PublicKey,
    chain_faults,
    read_digest,
    signature_fault,
    uncovered,
)
from evidence.sources.trail_place import LATE

KEYS = "cloudtrail.list_public_keys"
CLAIMS = "trail_files.claims"


def recheck(
    kept: Mapping[str, bytes], logs: Mapping[str, Stream], start: datetime, end: datetime
) -> list[Fault]:
    """Return what is wrong with kept files; `kept` and `logs` are artifacts by their item's name.

    `kept` has the public keys, the digests and the claims, `logs` the log files, opened. Files that
    a digest names and that were not there when it was collected are found as missing again.

    Raises:
        SourceError: when the keys or the claims are not among what was kept, or are malformed.
    """
    try:
        keys = list(_keys(json.loads(kept[KEYS])))
        claims = {_object(one): one for one in json.loads(kept[CLAIMS])}
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"expected {KEYS} and {CLAIMS} as they were kept") from error
    faults: list[Fault] = []
    readable: list[Digest] = []
    valid: list[Digest] = []
    for at, claim in claims.items():
        if ".digest." not in claim["item"]:
            continue
        try:
            metadata = claim["claims"].get("Metadata", {})
            digest = read_digest(at, kept.get(claim["item"], b""), metadata)
        except SourceError as error:
            faults.append(Fault("digest_unreadable", at, str(error)))
            continue
        readable.append(digest)
        if fault := signature_fault(digest, keys):
            faults.append(fault)
        else:
            valid.append(digest)
    faults += [*chain_faults(readable), *uncovered(valid, start, end)]
    return faults + list(_logs(valid, claims, logs))


def window_of(kept: Mapping[str, bytes]) -> tuple[datetime, datetime]:
    """Return the time that was asked for when the files were collected.

    Raises:
        SourceError: when the keys are not among what was kept, or are malformed.
    """
    try:
        asked = json.loads(kept[KEYS])["parameters"]
        return _time(asked["StartTime"]) + LATE, _time(asked["EndTime"]) - LATE
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"expected {KEYS} as it was kept") from error


def _logs(
    digests: list[Digest], claims: Mapping[str, Any], logs: Mapping[str, Stream]
) -> Iterator[Fault]:
    for log in (log for digest in digests for log in digest.logs):
        stream = logs.get(claims[log.object]["item"]) if log.object in claims else None
        if stream is None:
            yield Fault("log_missing", log.object, "a digest names it, and it was not kept")
            continue
        inflated = Inflated(stream)
        while inflated.read():
            pass
        if inflated.sha256() != log.sha256:
            why = f"its content is not what its digest says, SHA-256 {log.sha256}"
            yield Fault("log_altered", log.object, why)


def _keys(answer: Mapping[str, Any]) -> Iterator[PublicKey]:
    for key in (key for page in answer["pages"] for key in page["PublicKeyList"]):
        start, end = (_time(key[f"Validity{side}Time"]) for side in ("Start", "End"))
        yield PublicKey(key["Fingerprint"], base64.b64decode(key["Value"]), start, end)


def _object(claim: Mapping[str, Any]) -> str:
    return f"{claim['asked']['Bucket']}/{claim['asked']['Key']}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
