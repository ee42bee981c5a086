"""Delivers a finding as AWS and a SIEM do: through the queue, and signed to the endpoint."""

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Letter:
    """A signed request: its body, and the three headers that vouch for it."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answered:
    """What the endpoint answered: HTTP status, and the JSON body."""

    status: int
    said: Mapping[str, Any]


def signed(source: str, key: str, finding: Mapping[str, Any], at: datetime) -> Letter:
    """Return the request that the sender would make at that time (RFC 2104, SHA-256)."""
    body = json.dumps(finding).encode()
    stamp = str(int(at.timestamp()))
    made = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Stanch-Source": source,
        "Stanch-Timestamp": stamp,
        "Stanch-Signature": f"v1={made}",
    }
    return Letter(body, headers)


def altered(letter: Letter) -> Letter:
    """Return the letter with its body changed on the way."""
    return replace(letter, body=letter.body.replace(b"TARGET", b"TARGEt"))


def post(url: str, letter: Letter) -> Answered:
    """Post the letter to a running `stanch serve`, as it is."""
    request = urllib.request.Request(  # noqa: S310 - the drill's own loopback endpoint
        f"{url}/intake/generic", data=letter.body, headers=dict(letter.headers), method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return Answered(answer.status, json.loads(answer.read()))
    except urllib.error.HTTPError as refused:
        with refused:
            return Answered(refused.code, json.loads(refused.read() or b"{}"))
