"""Signatures of manifest keys: JWS (RFC 7515) and DSSE."""

import re
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.evidence.second.findings import WrongError, need
from tests.evidence.second.texts import (
    base64_bytes,
    base64url_bytes,
    canonical,
    loads,
    members,
)
from tests.evidence.second.trust import Trust

IN_TOTO = "application/vnd.in-toto+json"


def check_signature(
    keys: Mapping[str, ec.EllipticCurvePublicKey] | None, kid: str, der: bytes, message: bytes
) -> None:
    """Without trust nothing is known of any key; the verdict says so."""
    if keys is None:
        return
    key = keys.get(kid)
    if key is None:
        raise WrongError("no key that is known signed this")
    try:
        key.verify(der, message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise WrongError("its signature does not hold") from None


def read_jws(data: bytes, typ: str, trust: Trust | None) -> Any:
    """Return the canonical payload of a compact JWS of this type."""
    return canonical(read_token(data, typ, trust.manifest_keys if trust else None))


def read_token(
    data: bytes, typ: str, keys: Mapping[str, ec.EllipticCurvePublicKey] | None
) -> bytes:
    """Return the payload of a compact JWS of this type, by one of these keys."""
    found = re.fullmatch(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", data)
    if found is None:
        raise WrongError("is no compact JWS")
    head, payload, signature = (base64url_bytes(part.decode()) for part in found.groups())
    header = members(loads(head), alg=str, kid=str, typ=str)
    need(header["alg"] == "ES256", "its algorithm is not ES256")
    need(header["typ"] == typ, f"its type is not {typ}")
    need(len(signature) == 64, "its signature has not 64 bytes")
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    message = data.rpartition(b".")[0]
    check_signature(keys, header["kid"], encode_dss_signature(r, s), message)
    return payload


def kid_of(data: bytes) -> str:
    """Return the kid of a compact JWS that was read before."""
    return str(loads(base64url_bytes(data.decode().partition(".")[0]))["kid"])


def read_dsse(envelope: Any, trust: Trust | None) -> Any:
    """Return the canonical payload of a DSSE envelope with one signature."""
    members(envelope, payload=str, payloadType=str, signatures=list)
    need(envelope["payloadType"] == IN_TOTO, f"its payload type is not {IN_TOTO}")
    need(len(envelope["signatures"]) == 1, "it has not one signature")
    one = members(envelope["signatures"][0], keyid=str, sig=str)
    payload = base64_bytes(envelope["payload"])
    message = b"DSSEv1 %d %s %d %s" % (len(IN_TOTO), IN_TOTO.encode(), len(payload), payload)
    keys = trust.manifest_keys if trust else None
    check_signature(keys, one["keyid"], base64_bytes(one["sig"]), message)
    return canonical(payload)
