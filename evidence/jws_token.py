"""The shape of our JWS, checked before any signature: compact, ES256, header alg, kid and typ.

Standard library and cryptography only, for both verifiers stand on it.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from evidence.errors import CanonicalError, TokenError
from evidence.strict_json import parse

ALGORITHM = "ES256"
MAX_TOKEN = 1 << 17
MAX_KID = 200

PublicKey = ec.EllipticCurvePublicKey

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A JWS taken apart: key id, payload, the bytes that were signed, and raw r || s."""

    kid: str
    payload: bytes
    signed: bytes
    signature: bytes


def take_apart(token: str, typ: str | None = None) -> Token:
    """Split a compact JWS (RFC 7515 section 7.1) that has exactly our shape.

    The header holds exactly `alg` (ES256) and `kid`, and `typ` when one is asked for; each
    segment is base64url in its only form. The signature is not checked here.

    Raises:
        TokenError: with what was found and what was expected.
    """
    if len(token) > MAX_TOKEN:
        raise TokenError(f"token of {len(token)} characters; at most {MAX_TOKEN} are read")
    segments = token.split(".")
    if len(segments) != 3:
        raise TokenError(f"token has {len(segments)} segments; a compact JWS has 3")
    header, payload, signature = (unbase64url(segment) for segment in segments)
    if len(signature) != 64:
        raise TokenError(f"signature of {len(signature)} bytes; ES256 has 64 (RFC 7518 3.4)")
    kid = _kid_of(header, typ)
    return Token(kid, payload, token.rpartition(".")[0].encode("ascii"), signature)


def key_from_jwk(jwk: Mapping[str, Any]) -> PublicKey:
    """Return the P-256 public key in a JWK (RFC 7517) meant for verifying ES256.

    Raises:
        TokenError: when it is of another type or curve, holds a private part, has `use` other
            than `sig`, `key_ops` without `verify`, another `alg`, or is not a point of the curve.
    """
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise TokenError("JWK is not of type EC on curve P-256")
    if "d" in jwk:
        raise TokenError("JWK holds a private key; only the public part may be handed out")
    if jwk.get("use", "sig") != "sig":
        raise TokenError("JWK is not for signatures: use is not 'sig' (RFC 7517 section 4.2)")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise TokenError("JWK may not verify: key_ops lacks 'verify' (RFC 7517 section 4.3)")
    if jwk.get("alg", ALGORITHM) != ALGORITHM:
        raise TokenError(f"JWK is not for {ALGORITHM}: its alg says otherwise")
    x, y = _coordinate(jwk, "x"), _coordinate(jwk, "y")
    try:
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except ValueError as error:
        raise TokenError("JWK is not a point of curve P-256") from error


def base64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unbase64url(segment: str) -> bytes:
    """Read non-empty base64url in the only form `base64url` writes.

    Raises:
        TokenError: for padding, foreign characters, or stray bits in the last character.
    """
    if not _SEGMENT.fullmatch(segment):
        raise TokenError("segment is empty or not base64url without padding")
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error as error:
        raise TokenError("segment has a length that base64url cannot have") from error
    if base64url(data) != segment:
        raise TokenError("segment has stray bits in its last character")
    return data


# Tokens of one signer have one header.
@lru_cache(maxsize=32)
def _kid_of(header: bytes, typ: str | None) -> str:
    try:
        members = parse(header)
    except CanonicalError as error:
        raise TokenError(f"token header: {error}") from error
    expected = {"alg", "kid"} | ({"typ"} if typ is not None else set())
    if not isinstance(members, dict) or members.keys() != expected:
        raise TokenError(f"token header must hold exactly {', '.join(sorted(expected))}")
    if members["alg"] != ALGORITHM:
        raise TokenError(f"token alg is not {ALGORITHM}, the only one accepted")
    if typ is not None and members["typ"] != typ:
        raise TokenError(f"token typ is {ascii(members['typ'])[:80]}; expected {typ!r}")
    kid = members["kid"]
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID:
        raise TokenError(f"token kid is not text of 1 to {MAX_KID} characters")
    return kid


def _coordinate(jwk: Mapping[str, Any], name: str) -> int:
    text = jwk.get(name)
    data = unbase64url(text if isinstance(text, str) else "")
    if len(data) != 32:
        raise TokenError(f"JWK {name} of {len(data)} bytes; P-256 has 32 (RFC 7518 6.2.1.2)")
    return int.from_bytes(data, "big")
