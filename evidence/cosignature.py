"""What witnesses add to a checkpoint: timestamped Ed25519 cosignatures (C2SP tlog-cosignature).

A cosignature is one more signature line of the note. It says that, at its time, this was the
largest head of the log that the cosigner had seen, and that it extends all heads seen before.
"""

import base64
import hashlib
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from evidence.errors import NoteError
from evidence.note import key_name, read_vkey, signature_line, take_apart

COSIGNATURE = b"\x04"
# 8 bytes of time, 64 of Ed25519.
_STAMPED = struct.Struct(">Q64s")
_MOST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A name and the Ed25519 public key (32 raw bytes) that cosigns checkpoints under it."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        key_name(self.name)
        if len(self.public) != 32:
            raise NoteError(f"an Ed25519 key of {len(self.public)} bytes; expected 32")

    @property
    def key_id(self) -> bytes:
        """The 4 bytes before each of its cosignatures (C2SP tlog-cosignature, "Format")."""
        return hashlib.sha256(self.name.encode() + b"\n" + COSIGNATURE + self.public).digest()[:4]


@dataclass(frozen=True, slots=True)
class CosigningKey:
    """What a witness cosigns with: its public part, and a function from bytes to a signature."""

    cosigner: Cosigner
    sign: Callable[[bytes], bytes] = field(repr=False)


def cosigning_key(name: str, key: Ed25519PrivateKey) -> CosigningKey:
    """Return a cosigning key that is held in memory."""
    return CosigningKey(Cosigner(name, key.public_key().public_bytes_raw()), key.sign)


def cosigner_vkey(cosigner: Cosigner) -> str:
    """Return the text form of a cosigner: name, key id in hex, type and key in base64."""
    encoded = base64.b64encode(COSIGNATURE + cosigner.public).decode()
    return f"{cosigner.name}+{cosigner.key_id.hex()}+{encoded}"


def parse_cosigner(text: str) -> Cosigner:
    """Read a text form written by `cosigner_vkey`.

    Raises:
        NoteError: when it is malformed, of another type, or its key id does not fit its key.
    """
    name, key_id, key = read_vkey(text)
    if key[:1] != COSIGNATURE:
        raise NoteError("cosigner key is not of type Ed25519 cosignature (0x04)")
    cosigner = Cosigner(name, key[1:])
    if cosigner.key_id.hex() != key_id:
        raise NoteError(f"cosigner key id {key_id!r} does not belong to its key")
    return cosigner


def cosign(text: str, key: CosigningKey, at: int) -> str:
    """Return the signature line, with its newline, that cosigns a checkpoint's text.

    `at` is in seconds since the epoch.
    """
    stamped = _STAMPED.pack(at, key.sign(_message(text, at)))
    return signature_line(key.cosigner.name, key.cosigner.key_id + stamped)


def cosigned(note: str, known: Iterable[Cosigner]) -> dict[Cosigner, int]:
    """Return who of `known` cosigned a note, and when, in seconds since the epoch.

    Lines of unknown keys are ignored; of several of one cosigner the earliest counts.

    Raises:
        NoteError: when the note is malformed, or a known cosigner's line does not fit its text.
    """
    text, signatures = take_apart(note)
    keys = {(cosigner.name, cosigner.key_id): cosigner for cosigner in known}
    found: dict[Cosigner, int] = {}
    for name, signature in signatures:
        cosigner = keys.get((name, signature[:4]))
        if cosigner is not None:
            at = _verify(text, cosigner, signature[4:])
            found[cosigner] = min(at, found.get(cosigner, at))
    return found


def _verify(text: str, cosigner: Cosigner, stamped: bytes) -> int:
    if len(stamped) != _STAMPED.size:
        raise NoteError(f"the cosignature of {cosigner.name} has not its {_STAMPED.size} bytes")
    at, signature = _STAMPED.unpack(stamped)
    if at > _MOST:
        raise NoteError(f"the cosignature of {cosigner.name} is of no time that exists")
    try:
        public = Ed25519PublicKey.from_public_bytes(cosigner.public)
        public.verify(signature, _message(text, at))
    except InvalidSignature as error:
        raise NoteError(f"the cosignature of {cosigner.name} does not fit the note") from error
    return int(at)


def _message(text: str, at: int) -> bytes:
    if not 0 <= at <= _MOST:
        raise NoteError(f"time {at} is not from 0 to 2^63 - 1 seconds")
    return f"cosignature/v1\ntime {at}\n{text}".encode()
