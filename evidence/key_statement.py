"""What is signed about our own keys: that one follows another, or is not to be believed.

A statement is canonical JSON of one line: `schema`, `kind` (that of its ledger entry), `role`,
`at` (RFC 3339, UTC, microseconds), `reason`, and what `MORE` names for its kind. The entry's body
is {"statement": {...}, "signatures": [...]}.

A rotation is signed by the old key and by the new: a log's keys by lines of a C2SP signed-note
whose text is the statement, manifests' by JWS of typ `TYP`. Wrapping keys sign nothing; the
manifest key signs for both. A revocation is signed by two people: [{"name", "jwk", "token"}].
Standard library and cryptography only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evidence import jws_offline
from evidence.errors import CanonicalError, EvidenceError, KeyStatementError, TokenError
from evidence.jws_token import PublicKey, key_from_jwk
from evidence.key_history import LOG, MANIFEST, WRAP
from evidence.leaf import is_stamp
from evidence.note import open_note, parse_vkey
from evidence.signatures import is_text, signers
from evidence.strict_json import canonical_form

SCHEMA = "urn:stanch:key:1"
TYP = "stanch-key+jws"
ROTATE, REVOKE = "key.rotate", "key.revoke"
SIGNERS = 2

MORE: Mapping[str, frozenset[str]] = {
    ROTATE: frozenset({"old", "new"}),
    REVOKE: frozenset({"key", "last_good", "root", "proven_by", "proven_at"}),
}
_COMMON = frozenset({"schema", "kind", "role", "at", "reason"})


@dataclass(frozen=True, slots=True)
class Revoked:
    """A revocation that two people signed: its members, and their names."""

    statement: Mapping[str, Any]
    signers: tuple[str, ...]


def check_form(statement: object) -> Mapping[str, Any]:
    """Return a statement that has exactly the members of its kind, each in its form.

    Raises:
        KeyStatementError: naming the member that is missing, foreign or malformed.
    """
    kind = statement.get("kind") if isinstance(statement, dict) else None
    if not isinstance(statement, dict) or not isinstance(kind, str) or kind not in MORE:
        raise KeyStatementError(
            f"no statement about a key; expected a kind among {', '.join(MORE)}"
        )
    expected = _COMMON | MORE[kind]
    if statement.keys() != expected:
        raise KeyStatementError(f"a statement {kind} has exactly {', '.join(sorted(expected))}")
    if wrong := sorted(name for name in expected if not _FORM[name](statement[name])):
        raise KeyStatementError(f"statement {kind}: {', '.join(wrong)} is malformed")
    if kind == REVOKE and statement["role"] == WRAP:
        raise KeyStatementError("a wrapping key signs nothing, so it is not revoked; rotate it")
    return statement


def statement_bytes(statement: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed.

    Raises:
        KeyStatementError: when it is no statement, or has no canonical form.
    """
    try:
        return canonical_form(dict(check_form(statement)))
    except CanonicalError as error:
        raise KeyStatementError(f"statement: {error}") from error


def note_text(statement: Mapping[str, Any]) -> str:
    """Return what a log key signs: one line, so that it is never taken for a checkpoint's three."""
    return statement_bytes(statement).decode() + "\n"


def read_rotation(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the statement in an entry's body, having checked both keys' signatures over it.

    Of a wrapping key, whoever reads it must check by which manifest key it was signed.

    Raises:
        KeyStatementError: when a signature is missing, or does not hold.
    """
    statement = _statement(body, ROTATE)
    signatures = body["signatures"]
    old, new = statement["old"], statement["new"]
    if old == new:
        raise KeyStatementError("a key cannot follow itself")
    try:
        if statement["role"] == LOG:
            _refuse_unsigned_note(statement, (old, new), signatures)
        elif statement["role"] == MANIFEST:
            _refuse_unsigned(statement, (old, new), signatures)
        elif len(signatures) != 1:
            raise KeyStatementError("expected one signature, by the manifest key")
    except (KeyError, TypeError, AttributeError) as error:
        raise KeyStatementError("the rotation's keys or signatures are malformed") from error
    except EvidenceError as error:
        raise KeyStatementError(f"rotation of the {statement['role']} key: {error}") from error
    return statement


def read_revocation(body: Mapping[str, Any]) -> Revoked:
    """Return the revocation in an entry's body, having checked that two people signed it.

    Whose keys they are must be checked besides: `signed_by` returns them.

    Raises:
        KeyStatementError: when a signature does not hold, or both are one person's or one key's.
    """
    statement = _statement(body, REVOKE)
    names = [name for name, _ in signed_by(body)]
    if len(names) != SIGNERS:
        raise KeyStatementError(f"{REVOKE} has {len(names)} signatures; two people must sign")
    return Revoked(statement, tuple(names))


def signed_by(body: Mapping[str, Any]) -> list[tuple[str, PublicKey]]:
    """Return name and public key of each person who signed, having checked the signatures.

    Raises:
        KeyStatementError: when one does not hold, or one person or key signed twice.
    """
    try:
        return signers(body["signatures"], statement_bytes(body["statement"]), TYP)
    except TokenError as error:
        raise KeyStatementError(str(error)) from error


def _statement(body: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    if body.keys() != {"statement", "signatures"} or not isinstance(body["signatures"], list):
        raise KeyStatementError("body has not exactly a statement and its signatures")
    statement = check_form(body["statement"])
    if statement["kind"] != kind:
        raise KeyStatementError(f"a statement {statement['kind']}; expected {kind}")
    return statement


def _refuse_unsigned_note(
    statement: Mapping[str, Any], keys: tuple[str, str], lines: list[str]
) -> None:
    note = f"{note_text(statement)}\n{''.join(lines)}"
    for text in keys:
        open_note(note, [parse_vkey(text)])


def _refuse_unsigned(
    statement: Mapping[str, Any], keys: tuple[Any, Any], tokens: list[str]
) -> None:
    payload = statement_bytes(statement)
    if len(tokens) != len(keys):
        raise KeyStatementError(f"has {len(tokens)} signatures; both keys must sign")
    for jwk, token in zip(keys, tokens, strict=True):
        if jws_offline.verify(token, {jwk["kid"]: key_from_jwk(jwk)}, TYP) != payload:
            raise KeyStatementError("a signature is over another statement than this one")


def _key(value: object) -> bool:
    return is_text(value) or (
        isinstance(value, dict)
        and all(is_text(name) and is_text(one) for name, one in value.items())
    )


_FORM: Mapping[str, Callable[[Any], bool]] = {
    "schema": lambda value: value == SCHEMA,
    "kind": is_text,
    "role": lambda value: value in (LOG, MANIFEST, WRAP),
    "at": is_stamp,
    "reason": is_text,
    # A vkey's text, a JWK, or a wrapping key's reference.
    "old": _key,
    "new": _key,
    "key": _key,
    "last_good": lambda value: type(value) is int and value >= 0,
    "root": lambda value: isinstance(value, str) and len(value) == 64,
    "proven_by": lambda value: value in ("witnesses", "timestamps"),
    "proven_at": is_stamp,
}
