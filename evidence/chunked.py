"""Encrypts a message of any length in chunks that can be read at random: C2SP chunked-encryption.

The message's bytes are split into chunks of 16 KiB, of which the last is always shorter and may be
empty, so that a cut is noticed. Key, base nonce and a commitment to the key come from the input key
by HKDF-Expand (RFC 5869). Ciphertext: 24 bytes of salt, 32 of commitment, then each chunk with its
16-byte tag. Instantiated with SHA-256 and AEAD_AES_256_GCM (c2sp.org/chunked-encryption).
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from evidence.errors import LockerError

ALGORITHM = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM"
KEY, SALT, COMMITMENT, NONCE, TAG = 32, 24, 32, 12, 16
HEADER = SALT + COMMITMENT
CHUNK = 16 << 10
SEALED = CHUNK + TAG
MAX_CHUNKS = 1 << 38
_LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"


@dataclass(frozen=True, slots=True)
class Cipher:
    """The derived key, base nonce and commitment of one message, and its salt."""

    aead: AESGCM
    nonce: int
    commitment: bytes
    salt: bytes

    @property
    def header(self) -> bytes:
        """The bytes that stand before the first chunk."""
        return self.salt + self.commitment

    def seal(self, block: memoryview, first: int, into: memoryview) -> int:
        """Encrypt whole chunks, and a last short one, from chunk number `first`.

        Returns how many bytes of `into` were written.
        """
        at = done = 0
        while at < len(block):
            part = block[at : at + CHUNK]
            end = done + len(part) + TAG
            self.aead.encrypt_into(self._nonce(first), part, None, into[done:end])
            at, done, first = at + CHUNK, end, first + 1
        return done

    def seal_last(self, chunk: bytes, number: int) -> bytes:
        """Encrypt the last chunk, which is shorter than the others and may be empty."""
        return self.aead.encrypt(self._nonce(number), chunk, None)

    def open(self, sealed: bytes, number: int) -> bytes:
        """Return one chunk's plaintext.

        Raises:
            LockerError: when it was altered, moved or cut.
        """
        try:
            return self.aead.decrypt(self._nonce(number), sealed, None)
        except (InvalidTag, ValueError) as error:
            raise LockerError(
                f"chunk {number} of the artifact does not decrypt: it was altered or cut"
            ) from error

    def _nonce(self, number: int) -> bytes:
        if number >= MAX_CHUNKS:
            raise LockerError("an artifact of more than 4 PiB cannot be encrypted as one")
        return (self.nonce ^ number).to_bytes(NONCE, "big")


def cipher(key: bytes, salt: bytes, context: bytes = b"") -> Cipher:
    """Return the cipher of one message; `key` is 32 random bytes, `salt` 24 that never repeat."""
    if len(key) != KEY or len(salt) != SALT:
        raise LockerError(f"a key of {KEY} bytes and a salt of {SALT} were expected")
    size = KEY + NONCE + COMMITMENT
    derived = HKDFExpand(SHA256(), size, _LABEL + salt + context).derive(key)
    nonce = int.from_bytes(derived[KEY : KEY + NONCE], "big")
    return Cipher(AESGCM(derived[:KEY]), nonce, derived[KEY + NONCE :], salt)


def cipher_of(header: bytes, key: bytes, context: bytes = b"") -> Cipher:
    """Return the cipher of a message that begins with this header.

    Raises:
        LockerError: when the header is cut, or another key made it.
    """
    if len(header) < HEADER:
        raise LockerError("the artifact is cut within its first bytes")
    found = cipher(key, header[:SALT], context)
    if not hmac.compare_digest(found.commitment, header[SALT:HEADER]):
        raise LockerError("the artifact was encrypted under another key, or its head was altered")
    return found


def sealed_size(plain: int) -> int:
    """Return how long the ciphertext of so many bytes is."""
    return HEADER + plain + TAG * (plain // CHUNK + 1)


def decrypt(source: BinaryIO, key: bytes, context: bytes = b"") -> Iterator[bytes]:
    """Yield the plaintext, chunk by chunk, each one checked before it is given out.

    Raises:
        LockerError: when anything was altered, moved or cut; what was yielded before is sound.
    """
    found = cipher_of(_exactly(source, HEADER), key, context)
    number = 0
    while len(sealed := _exactly(source, SEALED)) == SEALED:
        yield found.open(sealed, number)
        number += 1
    if len(sealed) < TAG:
        raise LockerError("the artifact is cut: its last chunk is missing")
    yield found.open(sealed, number)


def _exactly(source: BinaryIO, size: int) -> bytes:
    parts = []
    while size and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
