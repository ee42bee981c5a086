"""Keeps secrets found in evidence secret: each artifact under a data key of its own, wrapped.

Ciphertext is C2SP chunked-encryption (see `chunked`). The data key is wrapped with AES key wrap
(RFC 3394) by an erasable key of this artifact alone (see `erasable`), then by the wrapping key of
the deployment, which may live in a service: that never sees the data key itself. Destroying either
erases the content; the ciphertext's hash, which manifest and ledger name, still verifies.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from evidence.chunked import KEY, SALT, Cipher, cipher
from evidence.erasable import ERASABLE
from evidence.errors import LockerError
from evidence.keys import Wrapper
from evidence.manifest_values import KEY_WRAP, Encryption
from evidence.wrap_ring import opener


@dataclass(frozen=True, slots=True)
class Fresh:
    """A cipher for one new artifact, how its key is kept, and what digests its plaintext.

    Without `erasable` nobody reads it again, not even who has manifest and wrapping key.
    """

    cipher: Cipher
    encryption: Encryption
    data_key: bytes
    erasable: bytes


def fresh(
    wrap: Wrapper, randomness: Callable[[int], bytes], about: Mapping[str, str] | None = None
) -> Fresh:
    """Return a cipher under a new data key wrapped by `wrap`; `randomness(n)` gives n bytes.

    `about` names the artifact, and must be told again to open it where `wrap` can bind to it.

    Raises:
        KeyServiceError: when the wrapping key lives elsewhere and is not to be had.
    """
    data_key, erasable = randomness(KEY), randomness(ERASABLE)
    wrapped = wrap.wrap(aes_key_wrap(erasable, data_key), about or {})
    encryption = Encryption(wrap.reference, wrapped.hex(), f"{KEY_WRAP}+{wrap.form}")
    return Fresh(cipher(data_key, randomness(SALT)), encryption, data_key, erasable)


def bound_to(artifact_id: str, case: str) -> dict[str, str]:
    """Return what an artifact's wrapped key is bound to: it fits no other manifest's artifact."""
    return {"artifact_id": artifact_id, "case": case}


def data_key_of(
    encryption: Encryption,
    wrap: Wrapper,
    erasable: Callable[[], bytes],
    about: Mapping[str, str] | None = None,
) -> bytes:
    """Return the data key that `fresh` made; `erasable()` gives the artifact's erasable key.

    Raises:
        LockerError: when a key is another one, or the wrapped key was altered. What `erasable`
            raises, passes.
        KeyServiceError: when the wrapping key lives elsewhere and is not to be had.
    """
    wrap = opener(wrap, encryption.key)
    if encryption.key != wrap.reference:
        raise LockerError(f"artifact was sealed under {encryption.key}, not {wrap.reference}")
    try:
        inner = wrap.unwrap(bytes.fromhex(encryption.wrapped_key), about or {})
    except ValueError as error:
        raise LockerError("artifact does not decrypt: it or its manifest was altered") from error
    if not encryption.erasable:
        return inner
    try:
        return aes_key_unwrap(erasable(), inner)
    except (InvalidUnwrap, ValueError) as error:
        raise LockerError("artifact does not decrypt: its erasable key is another key") from error


def keyed_digest(plain_sha256: str, data_key: bytes) -> str:
    """Return a digest, in hex, of a plaintext's SHA-256 that only the key's holder can compute.

    It is keyed because a plain hash of a guessable secret gives the secret away.
    """
    key = hmac.digest(data_key, b"plain digest", hashlib.sha256)
    return hmac.digest(key, bytes.fromhex(plain_sha256), hashlib.sha256).hex()
