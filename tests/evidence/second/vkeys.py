"""Keys of a log and of witnesses: C2SP signed-note's vkeys, and what each type has signed."""

import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from tests.evidence.second.findings import WrongError, need
from tests.evidence.second.texts import base64_bytes

NOTE, COSIGNATURE, ML_DSA_44 = 0x01, 0x04, 0x06
LENGTHS = {NOTE: 32, COSIGNATURE: 32, ML_DSA_44: 1312}


@dataclass(frozen=True)
class Vkey:
    name: str
    key_id: bytes
    kind: int
    key: bytes


def parse_vkey(text: object, kinds: tuple[int, ...]) -> Vkey:
    """Return the key of `<name>+<key id>+<base64(type ‖ key)>`, of one of these types."""
    found = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", text if isinstance(text, str) else "")
    if found is None:
        raise WrongError("is no vkey")
    raw = base64_bytes(found[3])
    need(bool(raw) and raw[0] in kinds, f"is no vkey of the types {kinds}")
    need(len(raw) == 1 + LENGTHS[raw[0]], "holds a key of another length")
    expected = hashlib.sha256(found[1].encode() + b"\n" + raw).digest()[:4]
    need(expected.hex() == found[2], "its key id is not that of its key")
    return Vkey(found[1], expected, raw[0], raw[1:])


def signed(vkey: Vkey, signature: bytes, text: str) -> bool:
    """Whether `signature` (without the key id) is one of this key over a checkpoint's text."""
    try:
        if vkey.kind == NOTE:
            Ed25519PublicKey.from_public_bytes(vkey.key).verify(signature, text.encode())
            return True
        time = int.from_bytes(signature[:8], "big")
        if len(signature) <= 8 or time >= 1 << 63:
            return False
        if vkey.kind == COSIGNATURE:
            message = f"cosignature/v1\ntime {time}\n{text}".encode()
            Ed25519PublicKey.from_public_bytes(vkey.key).verify(signature[8:], message)
        else:
            message = subtree_message(vkey.name, signature[:8], text)
            MLDSA44PublicKey.from_public_bytes(vkey.key).verify(signature[8:], message)
    except InvalidSignature:
        return False
    return True


def subtree_message(name: str, time: bytes, text: str) -> bytes:
    """Return tlog-cosignature's `cosigned_message` of a whole tree."""
    origin, size, root = text.splitlines()[:3]
    parts = [b"subtree/v1\n\0"]
    parts += [bytes([len(name.encode())]), name.encode(), time]
    parts += [bytes([len(origin.encode())]), origin.encode()]
    parts += [(0).to_bytes(8, "big"), int(size).to_bytes(8, "big"), base64_bytes(root)]
    return b"".join(parts)
