"""A whole bundle as one sealed file, which only its recipients read.

The file: the line `stanch.sealed-bundle/1`; for each recipient `x25519 <ephemeral> <wrapped>` on a
line (base64; see `recipients`); an empty line; then a tar (see `bundle_tar`) in chunked encryption
(see `chunked`) under the file key, with the SHA-256 of all that stands before it as context. So the
head cannot be changed, nor the tar cut or altered. Who sealed it, it does not say: the bundle does.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from evidence import bundle_tar
from evidence.chunked import CHUNK, KEY, SALT, SEALED, Cipher, cipher, decrypt
from evidence.errors import BundleError, LockerError
from evidence.recipients import MAX_RECIPIENTS, PUBLIC, WRAPPED, unwrap, wrap_for

MAGIC = b"stanch.sealed-bundle/1\n"
_KIND = "x25519"
_MAX_LINE = 256


def seal(
    bundle: Path,
    recipients: Iterable[X25519PublicKey],
    into: BinaryIO,
    randomness: Callable[[int], bytes],
) -> None:
    """Write the bundle in folder `bundle` to `into`; `randomness(n)` gives n random bytes.

    Raises:
        BundleError: when the folder holds what no bundle does, or there is no recipient.
        KeyMaterialError: when a recipient's key is no good.
    """
    file_key = randomness(KEY)
    head = MAGIC
    for public, wrapped in wrap_for(recipients, file_key, randomness):
        head += f"{_KIND} {_base64(public)} {_base64(wrapped)}\n".encode()
    head += b"\n"
    sealing = _Sealing(cipher(file_key, randomness(SALT), _context(head)), into)
    into.write(head + sealing.cipher.header)
    bundle_tar.write(bundle, sealing)
    sealing.finish()


def unseal(source: BinaryIO, key: X25519PrivateKey, out: Path) -> None:
    """Write the bundle in a sealed file into the new folder `out`. Nothing stays of a bad one.

    Raises:
        BundleError: when it is no sealed bundle, not for this key, altered or cut, or `out` exists.
    """
    head, lines = _read_head(source)
    try:
        bundle_tar.read(decrypt(source, unwrap(lines, key), _context(head)), out)
    except LockerError as error:
        raise BundleError(f"the sealed bundle was altered or cut: {error}") from error


class _Sealing:
    """What a tar is written to: whole chunks are encrypted as they fill."""

    def __init__(self, cipher: Cipher, into: BinaryIO) -> None:
        self.cipher = cipher
        self._into = into
        self._rest = bytearray()
        self._number = 0

    def write(self, data: bytes) -> int:
        self._rest += data
        if (whole := len(self._rest) // CHUNK) == 0:
            return len(data)
        block = bytes(self._rest[: whole * CHUNK])
        del self._rest[: whole * CHUNK]
        sealed = bytearray(whole * SEALED)
        self.cipher.seal(memoryview(block), self._number, memoryview(sealed))
        self._number += whole
        self._into.write(sealed)
        return len(data)

    def finish(self) -> None:
        self._into.write(self.cipher.seal_last(bytes(self._rest), self._number))


def _read_head(source: BinaryIO) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    if source.readline(_MAX_LINE) != MAGIC:
        raise BundleError("is no sealed bundle; expected what `stanch export --recipient` wrote")
    head = MAGIC
    lines: list[tuple[bytes, bytes]] = []
    for line in _lines(source):
        head += line
        if line == b"\n":
            return head, lines
        parts = line[:-1].split(b" ")
        if len(parts) != 3 or parts[0] != _KIND.encode():
            raise BundleError("has a recipient's line that is not 'x25519 <ephemeral> <wrapped>'")
        lines.append((_unbase64(parts[1], PUBLIC), _unbase64(parts[2], WRAPPED)))
    raise BundleError(f"has a head without an end, or more than {MAX_RECIPIENTS} recipients")


def _lines(source: BinaryIO) -> Iterator[bytes]:
    for _ in range(MAX_RECIPIENTS + 1):
        line = source.readline(_MAX_LINE)
        if not line.endswith(b"\n"):
            return
        yield line


def _context(head: bytes) -> bytes:
    return hashlib.sha256(head).digest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: bytes, size: int) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BundleError("has a recipient's line that is not base64") from error
    if len(data) != size:
        raise BundleError(f"has a recipient's line with {len(data)} bytes; expected {size}")
    return data
