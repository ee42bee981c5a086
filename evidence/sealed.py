"""Keeps secrets found in evidence secret: AES-256-GCM under a data key of its own, wrapped.

Ciphertext is AES-GCM output with its 16-byte tag at the end (NIST SP 800-38D). The data key is
wrapped with AES key wrap (RFC 3394). Losing or destroying the wrapping key erases the content; the
ciphertext's hash, which manifest and ledger name, still verifies.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from evidence.errors import LockerError
from evidence.keys import WrapKey
from evidence.manifest import Encryption


@dataclass(frozen=True, slots=True)
class Sealed:
    """Ciphertext, how it was made, and a keyed digest of the plaintext in hex.

    The digest is keyed because a plain hash of a guessable secret gives the secret away.
    """

    ciphertext: bytes
    encryption: Encryption
    plain_hmac: str


def seal(data: bytes, wrap: WrapKey, randomness: Callable[[int], bytes]) -> Sealed:
    """Encrypt `data` under a fresh data key wrapped by `wrap`; `randomness(n)` gives n bytes."""
    data_key, nonce = randomness(32), randomness(12)
    encryption = Encryption(
        key=wrap.reference, nonce=nonce.hex(), wrapped_key=aes_key_wrap(wrap.key, data_key).hex()
    )
    ciphertext = AESGCM(data_key).encrypt(nonce, data, None)
    return Sealed(ciphertext, encryption, plain_hmac(data, data_key))


def unseal(ciphertext: bytes, encryption: Encryption, wrap: WrapKey) -> bytes:
    """Decrypt what `seal` made.

    Raises:
        LockerError: when the wrapping key is another one or the ciphertext was altered.
    """
    if encryption.key != wrap.reference:
        raise LockerError(f"artifact was sealed under {encryption.key}, not {wrap.reference}")
    try:
        data_key = aes_key_unwrap(wrap.key, bytes.fromhex(encryption.wrapped_key))
        return AESGCM(data_key).decrypt(bytes.fromhex(encryption.nonce), ciphertext, None)
    except (InvalidUnwrap, InvalidTag, ValueError) as error:
        raise LockerError("artifact does not decrypt: it or its manifest was altered") from error


def plain_hmac(data: bytes, data_key: bytes) -> str:
    """Return the keyed digest of a sealed artifact's plaintext, in hex."""
    key = hmac.digest(data_key, b"plain digest", hashlib.sha256)
    return hmac.digest(key, data, hashlib.sha256).hex()
