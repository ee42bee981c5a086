"""Signed statements of what the ledger holds: C2SP signed-note and tlog-checkpoint, Ed25519.

A note is text, an empty line, and signature lines. A checkpoint is a note whose text is the
log's origin, its size in decimal and its root hash in base64, one a line.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from evidence.errors import NoteError

ED25519 = b"\x01"
MAX_NOTE = 1 << 16
MAX_SIGNATURES = 100

_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its name, how many entries, and the RFC 6962 root over them."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A name and the Ed25519 public key (32 raw bytes) that signs notes under it."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        key_name(self.name)
        if len(self.public) != 32:
            raise NoteError(f"an Ed25519 key of {len(self.public)} bytes; expected 32")

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before each signature (C2SP signed-note, "Signatures")."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """What the ledger signs with: a verifier, and a function from bytes to a raw signature."""

    verifier: NoteVerifier
    sign: Callable[[bytes], bytes]


def signer_of(name: str, key: Ed25519PrivateKey) -> NoteSigner:
    """Return a signer that holds its key in memory; `name` is the log's origin."""
    return NoteSigner(NoteVerifier(name, key.public_key().public_bytes_raw()), key.sign)


def vkey(verifier: NoteVerifier) -> str:
    """Return the text form of a public key: name, key id in hex, type and key in base64."""
    encoded = base64.b64encode(ED25519 + verifier.public).decode()
    return f"{verifier.name}+{verifier.key_id.hex()}+{encoded}"


def parse_vkey(text: str) -> NoteVerifier:
    """Read a text form written by `vkey`.

    Raises:
        NoteError: when it is malformed, of another type, or its key id does not fit its key.
    """
    name, key_id, key = read_vkey(text)
    if key[:1] != ED25519:
        raise NoteError("verifier key is not of type Ed25519 (0x01)")
    verifier = NoteVerifier(name, key[1:])
    if verifier.key_id.hex() != key_id:
        raise NoteError(f"verifier key id {key_id!r} does not belong to its key")
    return verifier


def read_vkey(text: str) -> tuple[str, str, bytes]:
    """Return the name, the key id in hex, and the type byte with the key, of a key's text form.

    Raises:
        NoteError: when it has another form. Whether the key id fits is not looked at.
    """
    # Base64 may hold a plus, a name may not.
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise NoteError("verifier key is not <name>+<key id>+<key>; take it from trust.json")
    return parts[0], parts[1], _unbase64(parts[2], "verifier key")


def key_name(name: str) -> None:
    """Raise NoteError unless `name` can stand in a signature line (C2SP signed-note)."""
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise NoteError(f"key name {name!r}; expected no spaces, no plus, not empty")


def signature_line(name: str, signature: bytes) -> str:
    """Return a signature line with its newline; `signature` begins with the 4 bytes of key id."""
    return f"{_DASH}{name} {base64.b64encode(signature).decode()}\n"


def sign_note(text: str, signer: NoteSigner) -> str:
    """Return `text`, which ends in a newline, as a note with one signature.

    Raises:
        NoteError: when the text holds control characters or lacks its final newline.
    """
    _refuse_text(text)
    signature = signer.verifier.key_id + signer.sign(text.encode())
    return f"{text}\n{signature_line(signer.verifier.name, signature)}"


def open_note(note: str, known: Iterable[NoteVerifier]) -> str:
    """Return the text of a note signed by at least one of `known`.

    Signatures of keys not in `known` are ignored, as the format demands.

    Raises:
        NoteError: when it is malformed, a known key's signature is wrong, or none is known.
    """
    text, signatures = take_apart(note)
    keys = {(verifier.name, verifier.key_id): verifier for verifier in known}
    seen = 0
    for name, signature in signatures:
        verifier = keys.get((name, signature[:4]))
        if verifier is None:
            continue
        try:
            public = Ed25519PublicKey.from_public_bytes(verifier.public)
            public.verify(signature[4:], text.encode())
        except InvalidSignature as error:
            raise NoteError(f"the signature of {name} does not fit the note's text") from error
        seen += 1
    if not seen:
        raise NoteError("no signature of a trusted key; expected one of the log's key")
    return text


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Return the text of a checkpoint, ready to be signed."""
    root = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint; lines after the third are extensions and are ignored.

    Raises:
        NoteError: when a line is missing, the size is not plain decimal, or the root not 32 bytes.
    """
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]) or lines[-1]:
        raise NoteError("checkpoint has not the three lines origin, size, root")
    origin, size, root = lines[:3]
    return Checkpoint(
        origin, plain_number(size, "checkpoint size"), checkpoint_hash(root, "checkpoint root")
    )


def plain_number(text: str, what: str) -> int:
    """Read a size: ASCII decimal without a sign or leading zeros. Raise NoteError otherwise."""
    if not (text.isascii() and text.isdigit() and len(text) < 19 and str(int(text)) == text):
        raise NoteError(f"{what} {text[:40]!r} is not a plain decimal number")
    return int(text)


def checkpoint_hash(text: str, what: str) -> bytes:
    """Read a 32-byte hash in base64. Raise NoteError otherwise."""
    digest = _unbase64(text, what)
    if len(digest) != 32:
        raise NoteError(f"{what} of {len(digest)} bytes; expected 32")
    return digest


def open_checkpoint(note: str, verifier: NoteVerifier) -> Checkpoint:
    """Return the checkpoint in a note signed by `verifier`, whose name is the log's origin.

    Raises:
        NoteError: when the note does not open or speaks for another log.
    """
    checkpoint = parse_checkpoint(open_note(note, [verifier]))
    if checkpoint.origin != verifier.name:
        raise NoteError(f"checkpoint of {checkpoint.origin!r}; expected {verifier.name!r}")
    return checkpoint


def unverified_checkpoint(note: str) -> Checkpoint:
    """Return the checkpoint in a note without looking at its signatures.

    Raises:
        NoteError: when the note or checkpoint is malformed.
    """
    return parse_checkpoint(take_apart(note)[0])


def take_apart(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return a note's text, and its signatures: name, and key id with signature; none is checked.

    Raises:
        NoteError: when the note is malformed or too large.
    """
    if len(note) > MAX_NOTE:
        raise NoteError(f"note of {len(note)} characters; at most {MAX_NOTE} are read")
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise NoteError("note has no empty line before its signatures, or no final newline")
    text += "\n"
    _refuse_text(text)
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"note has {len(lines)} signatures; at most {MAX_SIGNATURES} are read")
    return text, [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not name:
        raise NoteError("signature line is not '<em dash> <name> <base64>'")
    signature = _unbase64(encoded, "signature line")
    if len(signature) < 5:
        raise NoteError("signature line is too short to hold a key id and a signature")
    return name, signature


def _refuse_text(text: str) -> None:
    # C2SP signed-note: no ASCII control characters below U+0020 but the newline.
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise NoteError("note text must end in a newline and hold no control characters")


def _unbase64(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"{what} is not base64") from error
    if base64.b64encode(data).decode() != text:
        raise NoteError(f"{what} is not base64 in its only form")
    return data
