"""Findings in the form that a SIEM sends, and requests that carry them."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

ACCOUNT, REGION, HOST = "111122223333", "eu-west-1", "i-0a1b2c3d4e5f60718"
KEY = b"k" * 32
SENDER = "edr"


def finding(**changes: Any) -> dict[str, Any]:
    """A finding of 8.0 on a host; `host` is short for the resource's uid."""
    host = changes.pop("host", HOST)
    found: dict[str, Any] = {
        "uid": "beacon-1",
        "type": "beacon",
        "title": "A host calls home every minute",
        "severity": 8.0,
        "account": ACCOUNT,
        "region": REGION,
        "resource": {"kind": "instance", "uid": host},
        "first_seen": "2026-03-04T10:00:00Z",
        "last_seen": "2026-03-04T11:00:00Z",
        "count": 2,
        "remote_ips": ["203.0.113.99", "2001:db8::1"],
    }
    return found | changes


def data(**changes: Any) -> bytes:
    """The same as bytes."""
    return json.dumps(finding(**changes)).encode()


def headers(body: bytes, *, key: bytes = KEY, at: float | None = None, source: str = SENDER) -> Any:
    """The headers with which a sender signs the body now, or at a Unix time."""
    now = datetime.now(UTC).timestamp() if at is None else at
    timestamp = str(int(now))
    signed = hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "Stanch-Source": source,
        "Stanch-Timestamp": timestamp,
        "Stanch-Signature": f"v1={signed}",
    }
