"""What one ledger entry says, and what of it stands in the append-only part.

A leaf is an envelope in canonical JSON, under 1 kB, without personal data: `kind`, the `case`
pseudonym, `case_seq` (from 0), `prev` (leaf hash of the case's previous entry in hex, or null),
`event_time`, `record_time` (RFC 3339, UTC, microseconds), and two commitments in hex: `actor` and
`body`, HMAC-SHA256 under the entry's 32-byte salt. Whoever has salt, actor and body can check
them; whoever has not learns nothing, even about guessable values. Standard library only.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from evidence.errors import CanonicalError, LedgerError
from evidence.strict_json import parse_canonical

SALT_BYTES = 32
MAX_LEAF = 1024
MAX_BODY = 1 << 16
MAX_ACTOR = 1024

KIND = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_HEX16 = re.compile(r"[0-9a-f]{32}")
_HEX32 = re.compile(r"[0-9a-f]{64}")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened in a case.

    `kind` is a short name such as `artifact.stored`; `case` the incident's own id; `body` what
    canonical JSON takes, at most `MAX_BODY` bytes; `actor` who or what did it; `event_time` aware.
    """

    kind: str
    case: str
    body: Mapping[str, Any]
    actor: str
    event_time: datetime


@dataclass(frozen=True, slots=True)
class Leaf:
    """An envelope as read back: the fields named in this module's docstring."""

    kind: str
    case: str
    case_seq: int
    prev: str | None
    event_time: str
    record_time: str
    actor: str
    body: str


def stamp(moment: datetime) -> str:
    """Return an aware time as RFC 3339 in UTC with microseconds.

    Raises:
        LedgerError: for a naive time.
    """
    if moment.tzinfo is None:
        raise LedgerError(f"time {moment.isoformat()} has no zone; expected an aware datetime")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def is_stamp(value: object) -> bool:
    """Tell whether a value is a time as `stamp` writes it, and one that there is."""
    if not isinstance(value, str) or not STAMP.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def body_commitment(salt: bytes, body: bytes) -> str:
    """Return the commitment to canonical body bytes, in hex."""
    return hmac.digest(salt, body, hashlib.sha256).hex()


def actor_commitment(salt: bytes, actor: str) -> str:
    """Return the commitment to an actor, in hex; the prefix keeps it apart from any body."""
    return hmac.digest(salt, b"actor\x00" + actor.encode(), hashlib.sha256).hex()


def write_leaf(leaf: Leaf) -> bytes:
    """Return an envelope's bytes; its fields are ones that `read_leaf` would take.

    Members stand in sorted order and none needs escaping, so this is the canonical form.
    """
    prev = "null" if leaf.prev is None else f'"{leaf.prev}"'
    return (
        f'{{"actor":"{leaf.actor}","body":"{leaf.body}","case":"{leaf.case}",'
        f'"case_seq":{leaf.case_seq},"event_time":"{leaf.event_time}","kind":"{leaf.kind}",'
        f'"prev":{prev},"record_time":"{leaf.record_time}"}}'
    ).encode("ascii")


def read_leaf(data: bytes) -> Leaf:
    """Read an envelope, checking every field's form.

    Raises:
        LedgerError: when a field is missing, foreign or malformed.
    """
    if len(data) > MAX_LEAF:
        raise LedgerError(f"leaf of {len(data)} bytes; expected at most {MAX_LEAF}")
    try:
        fields = parse_canonical(data)
    except CanonicalError as error:
        raise LedgerError(f"leaf: {error}") from error
    if not isinstance(fields, dict) or fields.keys() != set(Leaf.__slots__):
        raise LedgerError("leaf has not exactly the envelope's fields")
    if wrong := [name for name, formed in _FORM.items() if not formed(fields[name])]:
        raise LedgerError(f"leaf field {', '.join(wrong)} is malformed")
    if (fields["prev"] is None) != (fields["case_seq"] == 0):
        raise LedgerError("leaf prev is malformed: null exactly when case_seq is 0")
    return Leaf(**fields)


def _text(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


_FORM: Mapping[str, Callable[[Any], bool]] = {
    "kind": _text(KIND),
    "case": _text(_HEX16),
    "case_seq": lambda value: type(value) is int and value >= 0,
    "prev": lambda value: value is None or _text(_HEX32)(value),
    "event_time": is_stamp,
    "record_time": is_stamp,
    "actor": _text(_HEX32),
    "body": _text(_HEX32),
}
