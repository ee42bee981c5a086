"""Signed envelopes that others' tools check: DSSE v1 with ES256, standard library and cryptography.

An envelope is JSON: `payload` (base64), `payloadType`, `signatures` [{`keyid`, `sig` (base64 of
the DER signature)}]. What is signed is the pre-authentication encoding of type and payload
(secure-systems-lab/dsse, protocol.md). We write it in canonical JSON with one signature. A key in
memory signs by RFC 6979 without randomness, so that the same payload gives the same envelope; a
key that lives elsewhere signs as its service does.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from evidence.errors import EvidenceError, TokenError
from evidence.jws_token import MAX_KID, PublicKey
from evidence.strict_json import canonical_form, parse_canonical

MAX_ENVELOPE = 1 << 20


class Signs(Protocol):
    """A P-256 key that lives elsewhere; `sign` returns raw r || s over SHA-256 of the message."""

    def sign(self, msg: bytes, /) -> bytes: ...


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed; lengths are in bytes, in ASCII decimal."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(
    payload: bytes, payload_type: str, key: ec.EllipticCurvePrivateKey | Signs, kid: str
) -> bytes:
    """Return an envelope around `payload`, signed by a P-256 key.

    Raises:
        TokenError: when the key is of another curve, or cannot sign without randomness.
    """
    signature = _signed(pae(payload_type, payload), key, kid)
    return canonical_form(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": kid, "sig": base64.b64encode(signature).decode()}],
        }
    )


def _signed(message: bytes, key: ec.EllipticCurvePrivateKey | Signs, kid: str) -> bytes:
    """Return the signature in DER."""
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raw = key.sign(message)
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        return encode_dss_signature(r, s)
    if not isinstance(key.curve, ec.SECP256R1):
        raise TokenError(f"key {kid!r} is of curve {key.curve.name}; expected P-256")
    try:
        return key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    except UnsupportedAlgorithm as error:
        raise TokenError(
            "this OpenSSL cannot sign as RFC 6979 says; install a cryptography wheel of 46 or later"
        ) from error


def open_envelope(data: bytes, payload_type: str, keys: Mapping[str, PublicKey] | None) -> bytes:
    """Return the payload of an envelope in our form, signed by the key that it names in `keys`.

    Without `keys` (None) the signature is not checked.

    Raises:
        TokenError: when it is malformed, of another type, of an unknown key, or forged.
    """
    payload, kid, signature = _take_apart(data, payload_type)
    if keys is None:
        return payload
    key = keys.get(kid)
    if key is None:
        raise TokenError(f"envelope of key {kid!r}, which is not trusted")
    try:
        key.verify(signature, pae(payload_type, payload), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise TokenError(f"signature of key {kid!r} does not fit the envelope") from error
    return payload


def _take_apart(data: bytes, payload_type: str) -> tuple[bytes, str, bytes]:
    try:
        members = parse_canonical(data, max_bytes=MAX_ENVELOPE)
        if members.keys() != {"payload", "payloadType", "signatures"}:
            raise TokenError("envelope has not exactly payload, payloadType and signatures")
        (signed,) = members["signatures"]
        if signed.keys() != {"keyid", "sig"}:
            raise TokenError("envelope has a signature without exactly keyid and sig")
        kid, kind = signed["keyid"], members["payloadType"]
        payload, signature = _unbase64(members["payload"]), _unbase64(signed["sig"])
    except (AttributeError, TypeError, ValueError) as error:
        raise TokenError("envelope has not the form of DSSE with one signature") from error
    except TokenError:
        raise
    except EvidenceError as error:
        raise TokenError(f"envelope: {error}") from error
    if kind != payload_type:
        raise TokenError(f"envelope is of type {ascii(kind)[:80]}; expected {payload_type!r}")
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID:
        raise TokenError(f"envelope keyid is not text of 1 to {MAX_KID} characters")
    return payload, kid, signature


def _unbase64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise TokenError("envelope holds what is not base64") from error
    if base64.b64encode(data).decode() != text:
        raise TokenError("envelope holds base64 in another than its only form")
    return data
