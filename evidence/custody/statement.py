"""What people sign about custody, and whether they did. Standard library and cryptography only.

A statement is canonical JSON: `schema`, `kind` (that of its ledger entry), `case` (pseudonym), `at`
(RFC 3339, UTC, microseconds), `reason`, and what `MORE` names for its kind. Every signature is an
attached ES256 JWS of typ `TYP` over these same bytes, with the signer's name as kid. The entry's
body is {"statement": {...}, "signatures": [{"name", "jwk", "token"}, ...]}; with the public keys in
it, a replay checks every signature, also of people who have left since.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evidence.errors import CanonicalError, CustodyError, TokenError
from evidence.leaf import is_stamp
from evidence.signatures import is_text, signers
from evidence.strict_json import canonical_form

SCHEMA = "urn:stanch:custody:1"
TYP = "stanch-custody+jws"
BROUGHT = "custody.brought"
TRANSFER = "custody.transfer"
HOLD = "hold.set"
RELEASE = "hold.release"
RETAIN = "retention.extend"
DISPOSED = "disposed"
REDACTION = "redaction"
ERASURE = "erasure"

# How many people must sign: a hold only protects, so one may set it at once; what takes a
# protection away, or moves responsibility, wants two.
SIGNERS: Mapping[str, int] = {
    BROUGHT: 1,
    HOLD: 1,
    RETAIN: 1,
    RELEASE: 2,
    TRANSFER: 2,
    DISPOSED: 2,
    REDACTION: 1,
    ERASURE: 2,
}
MORE: Mapping[str, frozenset[str]] = {
    BROUGHT: frozenset({"origin", "kept"}),
    HOLD: frozenset({"hold", "artifacts"}),
    RELEASE: frozenset({"hold"}),
    RETAIN: frozenset({"until", "artifacts"}),
    TRANSFER: frozenset({"artifacts", "from", "to", "place"}),
    DISPOSED: frozenset({"kept"}),
    REDACTION: frozenset({"original", "map", "copy"}),
    ERASURE: frozenset({"values"}),
}
# Each artifact stands in the statement and in each token; a body has at most 64 KiB.
MAX_ARTIFACTS = 50
MAX_VALUES = 100

_COMMON = frozenset({"schema", "kind", "case", "at", "reason"})
_ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement that enough people signed: its members, SHA-256 in hex, and the signers' names.

    The digest tells a statement apart from any other; a token's text does not, for one statement
    has many valid signatures.
    """

    statement: Mapping[str, Any]
    digest: str
    signers: tuple[str, ...]


def check_form(statement: object) -> Mapping[str, Any]:
    """Return a statement that has exactly the members of its kind, each in its form.

    Raises:
        CustodyError: naming the member that is missing, foreign or malformed.
    """
    kind = statement.get("kind") if isinstance(statement, dict) else None
    if not isinstance(statement, dict) or not isinstance(kind, str) or kind not in MORE:
        raise CustodyError(f"no statement of custody; expected a kind among {', '.join(MORE)}")
    expected = _COMMON | MORE[statement["kind"]]
    if statement.keys() != expected:
        raise CustodyError(
            f"a statement {statement['kind']} has exactly {', '.join(sorted(expected))}"
        )
    if wrong := sorted(name for name in expected if not _FORM[name](statement[name])):
        raise CustodyError(f"statement {statement['kind']}: {', '.join(wrong)} is malformed")
    if statement["kind"] == TRANSFER and statement["artifacts"] is None:
        raise CustodyError("a statement of transfer names its artifacts one by one")
    return statement


def statement_bytes(statement: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed.

    Raises:
        CustodyError: when it is no statement, or has no canonical form.
    """
    try:
        return canonical_form(dict(check_form(statement)))
    except CanonicalError as error:
        raise CustodyError(f"statement: {error}") from error


def read_signed(body: Mapping[str, Any]) -> Signed:
    """Return the statement in an entry's body, having checked every signature over it.

    Raises:
        CustodyError: when a signature is missing, over other bytes, or by the same person or key.
    """
    if body.keys() != {"statement", "signatures"} or not isinstance(body["signatures"], list):
        raise CustodyError("body has not exactly a statement and its signatures")
    payload = statement_bytes(body["statement"])
    kind = body["statement"]["kind"]
    try:
        names = [name for name, _ in signers(body["signatures"], payload, TYP)]
    except TokenError as error:
        raise CustodyError(f"{kind}: {error}") from error
    if len(names) != SIGNERS[kind]:
        raise CustodyError(
            f"{kind} has {len(names)} signatures; expected {SIGNERS[kind]} of different people"
        )
    if kind == TRANSFER and names != [body["statement"]["from"], body["statement"]["to"]]:
        raise CustodyError(
            f"{kind} is signed by {' and '.join(names)}; expected who gives "
            f"({body['statement']['from']}), then who takes ({body['statement']['to']})"
        )
    return Signed(body["statement"], hashlib.sha256(payload).hexdigest(), tuple(names))


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _artifacts(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ARTIFACTS:
        return False
    return all(map(_matches(_ID), value)) and value == sorted(set(value))


def _kept(value: object) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= MAX_ARTIFACTS
        and all(map(_what_stays, value))
        and _artifacts([one["artifact_id"] for one in value])
    )


def _values(value: object) -> bool:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_VALUES:
        return False
    return all(map(_matches(_SHA256), value)) and value == sorted(set(value))


def _what_stays(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == _KEPT.keys()
        and all(formed(value[name]) for name, formed in _KEPT.items())
    )


_KEPT: Mapping[str, Callable[[object], bool]] = {
    "artifact_id": _matches(_ID),
    "stored_sha256": _matches(_SHA256),
    "manifest_sha256": _matches(_SHA256),
    "size": _matches(_SIZE),
}
_FORM: Mapping[str, Callable[[Any], bool]] = {
    "schema": lambda value: value == SCHEMA,
    "kind": is_text,
    "case": _matches(_ID),
    "at": is_stamp,
    "reason": is_text,
    # None: every artifact of the case, also those that come later.
    "artifacts": _artifacts,
    "hold": is_text,
    "until": is_stamp,
    "from": is_text,
    "to": is_text,
    "place": is_text,
    "kept": _kept,
    "origin": is_text,
    "original": _what_stays,
    "map": _what_stays,
    "copy": _what_stays,
    "values": _values,
}
