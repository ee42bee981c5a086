"""Makes and signs what `key_statement` reads: rotations and revocations of keys."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from evidence import jws
from evidence.key_history import LOG, MANIFEST, WRAP
from evidence.key_statement import (
    REVOKE,
    ROTATE,
    SCHEMA,
    TYP,
    check_form,
    note_text,
    statement_bytes,
)
from evidence.keys import ManifestKey, public_jwk
from evidence.leaf import stamp
from evidence.note import NoteSigner, sign_note, vkey


def rotate_log(old: NoteSigner, new: NoteSigner, at: datetime, reason: str) -> dict[str, Any]:
    """Return the body of the entry that another log key follows this one, signed by both.

    Raises:
        KeyStatementError: when a member is malformed.
    """
    said = _rotation(LOG, vkey(old.verifier), vkey(new.verifier), at, reason)
    notes = [sign_note(note_text(said), signer) for signer in (old, new)]
    return {"statement": said, "signatures": [one.rpartition("\n\n")[2] for one in notes]}


def rotate_manifest(
    old: ManifestKey, new: ManifestKey, at: datetime, reason: str
) -> dict[str, Any]:
    """Return the body of the entry that another manifest key follows this one, signed by both.

    Raises:
        KeyStatementError: when a member is malformed. TokenError: when a key cannot sign.
    """
    said = _rotation(MANIFEST, jwk_of(old), jwk_of(new), at, reason)
    return {"statement": said, "signatures": [_token(said, one) for one in (old, new)]}


def rotate_wrap(
    old: str, new: str, signer: ManifestKey, at: datetime, reason: str
) -> dict[str, Any]:
    """Return the body of the entry that another wrapping key follows; both by their references.

    Raises:
        KeyStatementError: when a member is malformed. TokenError: when the key cannot sign.
    """
    said = _rotation(WRAP, old, new, at, reason)
    return {"statement": said, "signatures": [_token(said, signer)]}


def revocation(
    role: str,
    key: Any,
    last_good: int,
    root: bytes,
    proven: tuple[str, datetime],
    at: datetime,
    reason: str,
) -> Mapping[str, Any]:
    """Return the statement that a key (vkey or JWK) is not believed beyond so many entries.

    `root` is that of the head of `last_good` entries, `proven` by whom it was seen and when.

    Raises:
        KeyStatementError: when a member is malformed.
    """
    by, when = proven
    more = {
        "key": key,
        "last_good": last_good,
        "root": root.hex(),
        "proven_by": by,
        "proven_at": stamp(when),
    }
    return check_form(_common(REVOKE, role, at, reason) | more)


def sign(
    statement: Mapping[str, Any], name: str, key: ec.EllipticCurvePrivateKey
) -> dict[str, Any]:
    """Return one person's signature over a statement: {"name", "jwk", "token"}.

    Raises:
        KeyStatementError: when it is no statement. TokenError: when the key cannot sign.
    """
    token = jws.sign(statement_bytes(statement), key, name, TYP)
    return {"name": name, "jwk": public_jwk(key.public_key()), "token": token}


def jwk_of(key: ManifestKey) -> dict[str, str]:
    """Return a manifest key's public half."""
    return public_jwk(key.public)


def _rotation(role: str, old: Any, new: Any, at: datetime, reason: str) -> dict[str, Any]:
    return dict(check_form(_common(ROTATE, role, at, reason) | {"old": old, "new": new}))


def _common(kind: str, role: str, at: datetime, reason: str) -> dict[str, Any]:
    return {"schema": SCHEMA, "kind": kind, "role": role, "at": stamp(at), "reason": reason}


def _token(statement: Mapping[str, Any], key: ManifestKey) -> str:
    return jws.sign(statement_bytes(statement), key.key, key.kid, TYP)
