"""Which objects of S3 an identity wrote or deleted, out of a CloudTrail log file passing by. Pure.

CloudTrail has such events only where the trail records data events of the bucket (CloudTrail User
Guide, "Logging data events"; "CloudTrail record contents").
"""

import json
from dataclasses import dataclass, field
from typing import Any

# What leaves another version, or none, behind; reading an object leaves it as it is.
WRITES = frozenset(
    {
        "CompleteMultipartUpload",
        "CopyObject",
        "DeleteObject",
        "PutObject",
        "PutObjectAcl",
        "PutObjectTagging",
    }
)
# Log files hold some thousands of events; one that unpacks to more is not looked into.
MOST = 64 << 20


@dataclass(slots=True)
class Touches:
    """Takes a log file's content in pieces; `actors` are names, ids or access key ids."""

    actors: frozenset[str]
    over: bool = False
    _held: bytearray = field(default_factory=bytearray)

    def take(self, piece: bytes) -> None:
        """Take the next piece of the file's content."""
        if not self.actors:
            return
        self.over = self.over or len(self._held) + len(piece) > MOST
        if not self.over:
            self._held += piece

    def found(self) -> list[tuple[str, str]]:
        """Return `bucket/key` and the event's name of each, once; empty for what is no log."""
        held, self._held = bytes(self._held), bytearray()
        if self.over or not held:
            return []
        try:
            records = json.loads(held)["Records"]
            touched = [_touched(one) for one in records if self._did(one)]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return []
        return list(dict.fromkeys(one for one in touched if one))

    def _did(self, record: dict[str, Any]) -> bool:
        who = record.get("userIdentity") or {}
        issuer = (who.get("sessionContext") or {}).get("sessionIssuer") or {}
        known = {who.get(name) for name in ("userName", "accessKeyId", "principalId", "arn")}
        return not self.actors.isdisjoint(known | {issuer.get("userName"), issuer.get("arn")})


def _touched(record: dict[str, Any]) -> tuple[str, str] | None:
    if record.get("eventSource") != "s3.amazonaws.com" or record.get("eventName") not in WRITES:
        return None
    asked = record.get("requestParameters") or {}
    bucket, key = asked.get("bucketName"), asked.get("key")
    # What was refused changed nothing.
    if record.get("errorCode") or not isinstance(bucket, str) or not isinstance(key, str):
        return None
    return f"{bucket}/{key}", str(record["eventName"])
