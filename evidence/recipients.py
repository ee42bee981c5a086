"""For whom a sealed bundle is: its file key, wrapped for each recipient's X25519 key.

For each: a fresh ephemeral key; the shared secret of RFC 7748; a wrapping key by HKDF-SHA256 (RFC
5869) with salt = ephemeral public key then recipient's, info = `INFO`; AES key wrap (RFC 3394). The
lines do not say whose they are. Standard library and cryptography only.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from evidence.errors import BundleError, KeyMaterialError
from evidence.key_files import read_closed

INFO = b"stanch.sealed-bundle/1 x25519"
PUBLIC, WRAPPED = 32, 40
MAX_RECIPIENTS = 100
MAX_KEY_FILE = 1 << 14


def read_public(path: Path) -> X25519PublicKey:
    """Return a recipient's public key from a file (PEM, as `openssl pkey -pubout` writes it).

    Raises:
        KeyMaterialError: when it cannot be read or is of another kind.
    """
    try:
        with path.open("rb") as file:
            key = serialization.load_pem_public_key(file.read(MAX_KEY_FILE))
    except (OSError, ValueError) as error:
        raise KeyMaterialError(
            f"{path} is no public key in PEM; expected what `openssl pkey -pubout` writes"
        ) from error
    if not isinstance(key, X25519PublicKey):
        raise KeyMaterialError(f"{path} is not an X25519 public key")
    return key


def read_private(path: Path) -> X25519PrivateKey:
    """Return a recipient's private key (PEM) from a file that nobody else can read.

    Raises:
        KeyMaterialError: when it is missing, open to others, or of another kind.
    """
    try:
        key = serialization.load_pem_private_key(
            read_closed(path.absolute(), MAX_KEY_FILE), password=None
        )
    except (ValueError, TypeError) as error:
        raise KeyMaterialError(f"{path} is not an unencrypted PEM private key") from error
    if not isinstance(key, X25519PrivateKey):
        raise KeyMaterialError(f"{path} is not an X25519 private key")
    return key


def wrap_for(
    recipients: Iterable[X25519PublicKey], file_key: bytes, randomness: Callable[[int], bytes]
) -> list[tuple[bytes, bytes]]:
    """Return, for each recipient, the ephemeral public key and the wrapped file key (32 bytes).

    Raises:
        BundleError: when there is no recipient, or more than `MAX_RECIPIENTS`.
        KeyMaterialError: when a public key is one of the few that make no secret.
    """
    lines = []
    for recipient in recipients:
        ephemeral = X25519PrivateKey.from_private_bytes(randomness(32))
        public = ephemeral.public_key().public_bytes_raw()
        wrapping = _wrapping(ephemeral, recipient, public, recipient.public_bytes_raw())
        lines.append((public, aes_key_wrap(wrapping, file_key)))
    if not 0 < len(lines) <= MAX_RECIPIENTS:
        raise BundleError(f"{len(lines)} recipients; expected 1 to {MAX_RECIPIENTS}")
    return lines


def unwrap(lines: Iterable[tuple[bytes, bytes]], key: X25519PrivateKey) -> bytes:
    """Return the file key from whichever line is for `key`.

    Raises:
        BundleError: when none is.
    """
    own = key.public_key().public_bytes_raw()
    for public, wrapped in lines:
        try:
            ephemeral = X25519PublicKey.from_public_bytes(public)
            return aes_key_unwrap(_wrapping(key, ephemeral, public, own), wrapped)
        except (InvalidUnwrap, ValueError, KeyMaterialError):
            continue
    raise BundleError("is not sealed for this key, or its head was altered")


def _wrapping(
    private: X25519PrivateKey, other: X25519PublicKey, ephemeral: bytes, recipient: bytes
) -> bytes:
    try:
        shared = private.exchange(other)
    except ValueError as error:
        # RFC 7748 section 6.1: a point of small order gives all zeros.
        raise KeyMaterialError("a recipient's key makes no secret; ask for another one") from error
    return HKDF(SHA256(), 32, ephemeral + recipient, INFO).derive(shared)
