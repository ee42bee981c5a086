"""What others add to a checkpoint: timestamped cosignatures (C2SP tlog-cosignature).

A cosignature is one more signature line of the note. It says that, at its time, this was the
largest head of the log that the cosigner had seen, and that it extends all heads seen before. There
are two kinds, told apart by the key: Ed25519 (0x04), and ML-DSA-44 (0x06, FIPS 204), which holds
against quantum computers and needs a version of cryptography that has it.
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
from evidence.note import key_name, parse_checkpoint, read_vkey, signature_line, take_apart

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    # Older versions do without; whoever cosigns so is then unknown.
    mldsa = None  # type: ignore[assignment]

ED25519, ML_DSA_44 = b"\x04", b"\x06"
# By kind: 8 bytes of time, then the signature.
_STAMPED = {ED25519: struct.Struct(">Q64s"), ML_DSA_44: struct.Struct(">Q2420s")}
_KINDS = {32: ED25519, 1312: ML_DSA_44}
_MOST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A name, and the public key that cosigns under it: Ed25519 (32 bytes) or ML-DSA-44 (1312)."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        key_name(self.name)
        if len(self.public) not in _KINDS:
            raise NoteError(
                f"a cosigner key of {len(self.public)} bytes; expected 32 (Ed25519) or 1312 "
                "(ML-DSA-44)"
            )

    @property
    def kind(self) -> bytes:
        """The byte that stands for its signature algorithm (C2SP signed-note)."""
        return _KINDS[len(self.public)]

    @property
    def key_id(self) -> bytes:
        """The 4 bytes before each of its cosignatures (C2SP tlog-cosignature, "Format")."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:4]


@dataclass(frozen=True, slots=True)
class CosigningKey:
    """What a witness cosigns with: its public part, and a function from bytes to a signature."""

    cosigner: Cosigner
    sign: Callable[[bytes], bytes] = field(repr=False)


def can_check(cosigner: Cosigner) -> bool:
    """Return whether this version of cryptography knows the cosigner's algorithm."""
    return cosigner.kind == ED25519 or mldsa is not None


def cosigning_key(name: str, key: "Ed25519PrivateKey | mldsa.MLDSA44PrivateKey") -> CosigningKey:
    """Return a cosigning key that is held in memory."""
    return CosigningKey(Cosigner(name, key.public_key().public_bytes_raw()), key.sign)


def cosigner_vkey(cosigner: Cosigner) -> str:
    """Return the text form of a cosigner: name, key id in hex, type and key in base64."""
    encoded = base64.b64encode(cosigner.kind + cosigner.public).decode()
    return f"{cosigner.name}+{cosigner.key_id.hex()}+{encoded}"


def parse_cosigner(text: str) -> Cosigner:
    """Read a text form written by `cosigner_vkey`.

    Raises:
        NoteError: when it is malformed, of another type, or its key id does not fit its key.
    """
    name, key_id, key = read_vkey(text)
    if key[:1] not in _STAMPED or _KINDS.get(len(key) - 1) != key[:1]:
        raise NoteError("cosigner key is not of type 0x04 (Ed25519) or 0x06 (ML-DSA-44)")
    cosigner = Cosigner(name, key[1:])
    if cosigner.key_id.hex() != key_id:
        raise NoteError(f"cosigner key id {key_id!r} does not belong to its key")
    return cosigner


def cosign(text: str, key: CosigningKey, at: int) -> str:
    """Return the signature line, with its newline, that cosigns a checkpoint's text.

    `at` is in seconds since the epoch.
    """
    cosigner = key.cosigner
    stamped = _STAMPED[cosigner.kind].pack(at, key.sign(_message(text, cosigner, at)))
    return signature_line(cosigner.name, cosigner.key_id + stamped)


def cosigned(note: str, known: Iterable[Cosigner]) -> dict[Cosigner, int]:
    """Return who of `known` cosigned a note, and when, in seconds since the epoch.

    Lines of keys that are unknown, or of an algorithm that is, are ignored; of several of one
    cosigner the earliest counts.

    Raises:
        NoteError: when the note is malformed, or a known cosigner's line does not fit its text.
    """
    text, signatures = take_apart(note)
    keys = {(one.name, one.key_id): one for one in known if can_check(one)}
    found: dict[Cosigner, int] = {}
    for name, signature in signatures:
        cosigner = keys.get((name, signature[:4]))
        if cosigner is not None:
            at = _verify(text, cosigner, signature[4:])
            found[cosigner] = min(at, found.get(cosigner, at))
    return found


def _verify(text: str, cosigner: Cosigner, stamped: bytes) -> int:
    form = _STAMPED[cosigner.kind]
    if len(stamped) != form.size:
        raise NoteError(f"the cosignature of {cosigner.name} has not its {form.size} bytes")
    at, signature = form.unpack(stamped)
    if at > _MOST:
        raise NoteError(f"the cosignature of {cosigner.name} is of no time that exists")
    try:
        message = _message(text, cosigner, at)
        if cosigner.kind == ED25519:
            Ed25519PublicKey.from_public_bytes(cosigner.public).verify(signature, message)
        else:
            mldsa.MLDSA44PublicKey.from_public_bytes(cosigner.public).verify(signature, message)
    except InvalidSignature as error:
        raise NoteError(f"the cosignature of {cosigner.name} does not fit the note") from error
    return int(at)


def _message(text: str, cosigner: Cosigner, at: int) -> bytes:
    if not 0 <= at <= _MOST:
        raise NoteError(f"time {at} is not from 0 to 2^63 - 1 seconds")
    if cosigner.kind == ED25519:
        return f"cosignature/v1\ntime {at}\n{text}".encode()
    # C2SP tlog-cosignature, "ML-DSA-44 signed message": the whole tree, so it starts at 0.
    head = parse_checkpoint(text)
    return b"".join(
        (
            b"subtree/v1\n\0",
            _short(cosigner.name),
            at.to_bytes(8),
            _short(head.origin),
            bytes(8),
            head.size.to_bytes(8),
            head.root,
        )
    )


def _short(text: str) -> bytes:
    """Return text as a vector of 1 to 255 bytes (RFC 8446 section 3.4)."""
    data = text.encode()
    if not 0 < len(data) < 256:
        raise NoteError(
            f"{text[:40]!r} has {len(data)} bytes; an ML-DSA-44 signature takes 1 to 255"
        )
    return len(data).to_bytes(1) + data
