"""Which people signed one statement: {"name", "jwk", "token"} each, a JWS over its very bytes.

Standard library and cryptography only.
"""

from collections.abc import Iterable

from evidence import jws_offline
from evidence.errors import TokenError
from evidence.jws_token import PublicKey, key_from_jwk

MAX_TEXT = 500


def signers(signatures: Iterable[object], payload: bytes, typ: str) -> list[tuple[str, PublicKey]]:
    """Return name and public key of each person who signed the payload, in that order.

    Whose keys they are must be checked besides.

    Raises:
        TokenError: when one is malformed, does not hold, is over other bytes, or is by the same
            person or key as one before.
    """
    found: list[tuple[str, PublicKey]] = []
    for one in signatures:
        name, key = _signer(one, payload, typ)
        numbers = key.public_numbers()
        if any(name == other or numbers == known.public_numbers() for other, known in found):
            raise TokenError(f"{name} signed twice; each signature is another person's")
        found.append((name, key))
    return found


def is_text(value: object) -> bool:
    """Tell whether a statement may have this as a text: a name, or a reason."""
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()


def _signer(signature: object, payload: bytes, typ: str) -> tuple[str, PublicKey]:
    if not isinstance(signature, dict) or signature.keys() != {"name", "jwk", "token"}:
        raise TokenError("a signature has not exactly name, jwk and token")
    name, jwk, token = signature["name"], signature["jwk"], signature["token"]
    if not is_text(name) or not isinstance(jwk, dict) or not isinstance(token, str):
        raise TokenError("a signature has a malformed name, jwk or token")
    try:
        key = key_from_jwk(jwk)
        signed = jws_offline.verify(token, {name: key}, typ)
    except TokenError as error:
        raise TokenError(f"signature of {name}: {error}") from error
    if signed != payload:
        raise TokenError(f"signature of {name} is over another statement than this one")
    return name, key
