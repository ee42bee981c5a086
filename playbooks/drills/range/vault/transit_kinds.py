"""The types of transit keys: what each can do, its public half, its signatures (API: Transit)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from playbooks.drills.range.vault.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

AES, P256, ED25519 = "aes256-gcm96", "ecdsa-p256", "ed25519"
TYPES = (AES, P256, ED25519)
SIZE = 32


@dataclass(frozen=True, slots=True)
class Marshaling:
    """How an ECDSA signature is written: DER in base64, or r || s in base64url (`jws`)."""

    jws: bool = False


def public_half(kind: str, secret: bytes) -> str:
    """The public key as `keys/NAME` shows it: PEM, or base64 for Ed25519."""
    if kind == ED25519:
        raw = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
        return base64.b64encode(raw).decode()
    public = _p256(secret).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def shown(kind: str, secret: bytes, created: float) -> int | Mapping[str, str]:
    """A version as `keys/NAME` shows it."""
    if kind == AES:
        return int(created)
    return {
        "name": "P-256" if kind == P256 else kind,
        "public_key": public_half(kind, secret),
        "certificate_chain": "",
        "creation_time": datetime.fromtimestamp(created, UTC).isoformat().replace("+00:00", "Z"),
    }


def sign(kind: str, secret: bytes, message: bytes, marshaling: Marshaling) -> str:
    """A signature in text, without its prefix."""
    if kind == ED25519:
        return _text(Ed25519PrivateKey.from_private_bytes(secret).sign(message), marshaling)
    der = _p256(secret).sign(message, ec.ECDSA(hashes.SHA256()))
    if not marshaling.jws:
        return _text(der, marshaling)
    r, s = decode_dss_signature(der)
    return _text(r.to_bytes(SIZE, "big") + s.to_bytes(SIZE, "big"), marshaling)


def verified(kind: str, secret: bytes, message: bytes, text: str, marshaling: Marshaling) -> bool:
    """Whether a signature's text is one of this key over the message."""
    try:
        if marshaling.jws:
            signature = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        else:
            signature = base64.b64decode(text, validate=True)
    except binascii.Error as e:
        raise invalid("unable to decode verification string as base64") from e
    try:
        if kind == ED25519:
            Ed25519PrivateKey.from_private_bytes(secret).public_key().verify(signature, message)
            return True
        if marshaling.jws:
            r, s = (int.from_bytes(signature[a : a + SIZE], "big") for a in (0, SIZE))
            signature = encode_dss_signature(r, s)
        _p256(secret).public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _text(signature: bytes, marshaling: Marshaling) -> str:
    if marshaling.jws:
        return base64.urlsafe_b64encode(signature).decode().rstrip("=")
    return base64.b64encode(signature).decode()


def _p256(secret: bytes) -> ec.EllipticCurvePrivateKey:
    # Nearly every 32 bytes are below the group's order; the rest is folded in.
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    return ec.derive_private_key(int.from_bytes(secret, "big") % (order - 1) + 1, ec.SECP256R1())
