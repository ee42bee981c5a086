"""The verifier's own ES256 check: cryptography and the standard library, nothing else."""

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from evidence.errors import TokenError
from evidence.jws_token import PublicKey, take_apart


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
    # RFC 7518 section 3.4: r || s, 32 bytes each; the library wants them as DER.
    r = int.from_bytes(parts.signature[:32], "big")
    s = int.from_bytes(parts.signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), parts.signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise TokenError(f"signature of key {parts.kid!r} does not fit the token") from error
    return parts.payload
