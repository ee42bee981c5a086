"""Checks that a request comes from a sender who holds the key: now, whole and unchanged.

    Stanch-Source: siem
    Stanch-Timestamp: 1767225600
    Stanch-Signature: v1=<hex of HMAC-SHA256 (RFC 2104) over timestamp, ".", body>

While a sender changes keys it may give a signature for each, with a comma between.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from playbooks.intake.errors import StaleError, UnsignedError

# Long enough for clocks that drift and queues that wait, short enough to remember each request.
WINDOW: Final = timedelta(seconds=300)
# SHA-256's output; a shorter key is easier to guess than the signature (RFC 2104 section 3).
LEAST_KEY: Final = 32
_TIMESTAMP: Final = re.compile(r"[1-9][0-9]{9}", re.ASCII)
_SIGNATURES: Final = re.compile(r"v1=[0-9a-f]{64}(?:, ?v1=[0-9a-f]{64}){0,3}", re.ASCII)


# Two HMACs that have taken their key and nothing else. A copy of one signs faster than a new one
# and, unlike `hmac.digest`, does not hand the interpreter to another thread for a short message.
Pair: TypeAlias = tuple[hmac.HMAC, hmac.HMAC]


@dataclass(frozen=True, slots=True)
class Senders:
    """Each sender's two keys; `nobody` holds two that sign nothing, for a name that is unknown."""

    keys: Mapping[str, Pair]
    nobody: Pair


@dataclass(frozen=True, slots=True)
class Stamp:
    """The three headers as they came."""

    source: str
    timestamp: str
    signature: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that is its sender's own: who, when, and what tells it from all others."""

    sender: str
    at: datetime
    digest: str


def senders(keys: Mapping[str, Sequence[bytes]], random: Callable[[int], bytes]) -> Senders:
    """Return the senders with two keys each, so that a check takes as long for all of them.

    A missing second key is 32 random bytes. Raises ValueError for a key under 32 bytes.
    """
    for name, given in keys.items():
        if not 1 <= len(given) <= 2 or any(len(key) < LEAST_KEY for key in given):
            raise ValueError(f"{name}: one or two keys of at least {LEAST_KEY} bytes expected")
    pairs = {name: _pair(given[0], (*given, random(32))[1]) for name, given in keys.items()}
    return Senders(pairs, _pair(random(32), random(32)))


def _pair(one: bytes, other: bytes) -> Pair:
    return hmac.new(one, digestmod="sha256"), hmac.new(other, digestmod="sha256")


def check(known: Senders, stamp: Stamp, body: bytes, now: datetime) -> Signed:
    """Return whose request this is; `now` is aware.

    Raises UnsignedError, the same for an unknown sender and for a wrong key, and as late;
    StaleError when the signature is right and the time is not.
    """
    well_formed = _TIMESTAMP.fullmatch(stamp.timestamp) and _SIGNATURES.fullmatch(stamp.signature)
    message = stamp.timestamp.encode("utf-8", "replace") + b"." + body
    given = [part.strip()[3:] for part in stamp.signature.split(",")] if well_formed else []
    right = 0
    # No early end: how long this takes says nothing of which key, or which sender, fits.
    for keyed in known.keys.get(stamp.source, known.nobody):
        signing = keyed.copy()
        signing.update(message)
        expected = signing.hexdigest()
        for one in given:
            right |= hmac.compare_digest(expected, one)
    if not right or stamp.source not in known.keys:
        raise UnsignedError(
            "The request is not signed by a sender in stanch.toml. Expected Stanch-Source,"
            " Stanch-Timestamp and Stanch-Signature: v1=HMAC-SHA256 over timestamp, dot and body."
            " Check the name and the key on both sides."
        )
    at = datetime.fromtimestamp(int(stamp.timestamp), UTC)
    if abs(now - at) > WINDOW:
        raise StaleError(
            f"The request was signed more than {WINDOW.seconds} seconds before or after now."
            " Check the clocks of sender and receiver, and sign when sending."
        )
    # Over what was signed, not over the signature: two keys give one request two signatures.
    digest = hashlib.sha256(stamp.source.encode() + b"\n" + message).hexdigest()
    return Signed(stamp.source, at, digest)
