"""A log in memory that grows, is rolled back, or forks, and signs whatever it is told to."""

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.merkle import consistency_proof, leaf_hash, root_of
from evidence.note import Checkpoint, NoteSigner, checkpoint_text, sign_note, signer_of

ORIGIN = "log.example/custody/v1"
LOG = signer_of(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes([3] * 32)))


@dataclass
class GrowingLog:
    leaves: list[bytes] = field(default_factory=list)
    signer: NoteSigner = LOG

    def grow(self, count: int, salt: str = "") -> "GrowingLog":
        start = len(self.leaves)
        self.leaves += [leaf_hash(f"{salt}{start + n}".encode()) for n in range(count)]
        return self

    def fork(self, at: int, count: int) -> "GrowingLog":
        """Return another history of the same log from `at` on."""
        return GrowingLog(self.leaves[:at], self.signer).grow(count, "fork")

    def head(self, size: int | None = None) -> Checkpoint:
        size = len(self.leaves) if size is None else size
        return Checkpoint(self.signer.verifier.name, size, root_of(self.leaves[:size]))

    def note(self, size: int | None = None) -> str:
        return sign_note(checkpoint_text(self.head(size)), self.signer)

    def prove(self, old: int, new: int | None = None) -> list[bytes]:
        new = len(self.leaves) if new is None else new
        return consistency_proof(old, new, self._node)

    def _node(self, level: int, index: int) -> bytes:
        return root_of(self.leaves[index << level : (index + 1) << level])


def noise(number: int) -> bytes:
    return hashlib.sha256(f"noise {number}".encode()).digest()
