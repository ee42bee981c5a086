"""Signs, and checks for ourselves, with python-jose behind one strict wrapper: ES256 only.

python-jose alone would take the algorithm from the token, accept DER keys as HMAC secrets
(CVE-2026-85394), ignore `crit`, keep the last of two equal members and read sloppy base64. So the
shape is checked by `jws_token` first, and python-jose gets a key object and a pinned algorithm.
"""

from collections.abc import Mapping

import jose.backends
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jws as jose_jws
from jose.backends.base import Key
from jose.backends.cryptography_backend import CryptographyECKey
from jose.exceptions import JOSEError

from evidence.canonical import canonical
from evidence.errors import TokenError
from evidence.jws_token import ALGORITHM, PublicKey, base64url, key_from_jwk, take_apart

__all__ = ["PublicKey", "key_from_jwk", "sign", "verify"]

# The pure-Python `ecdsa` fallback leaks its key through timing (CVE-2024-23342, won't fix).
if jose.backends.ECKey is not CryptographyECKey:
    raise ImportError(
        "python-jose lacks its cryptography backend; install python-jose[cryptography]"
    )


def sign(
    payload: bytes, key: ec.EllipticCurvePrivateKey | Key, kid: str, typ: str | None = None
) -> str:
    """Return `payload` as an attached compact JWS with header alg, kid, and typ when given.

    `key` is a P-256 private key, or a python-jose `Key` whose `sign` returns raw r || s (a key
    that lives elsewhere).

    Raises:
        TokenError: when the key cannot sign or the token would not pass our own `take_apart`.
    """
    header = {"alg": ALGORITHM, "kid": kid} | ({"typ": typ} if typ is not None else {})
    signed = f"{base64url(canonical(header))}.{base64url(payload)}"
    try:
        signer = key if isinstance(key, Key) else CryptographyECKey(key, ALGORITHM)
        signature = signer.sign(signed.encode("ascii"))
    except (JOSEError, AttributeError, TypeError, ValueError) as error:
        raise TokenError(f"key {kid!r} cannot sign {ALGORITHM}; expected a P-256 key") from error
    token = f"{signed}.{base64url(signature)}"
    take_apart(token, typ)
    return token


def verify(token: str, keys: Mapping[str, PublicKey], typ: str | None = None) -> bytes:
    """Return the payload of a token signed by the key that its kid names in `keys`.

    Raises:
        TokenError: when it is malformed, of another `typ`, of an unknown key, or forged.
    """
    parts = take_apart(token, typ)
    key = keys.get(parts.kid)
    if key is None:
        raise TokenError(f"token of key {parts.kid!r}, which is not trusted")
    if not isinstance(key.curve, ec.SECP256R1):
        raise TokenError(f"key {parts.kid!r} is not a P-256 public key")
    try:
        payload: bytes = jose_jws.verify(token, CryptographyECKey(key, ALGORITHM), [ALGORITHM])
    except JOSEError as error:
        raise TokenError(f"signature of key {parts.kid!r} does not fit the token") from error
    return payload
