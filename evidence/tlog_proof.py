"""One entry's proof in a file of its own: C2SP tlog-proof, which other tools of logs read, too.

The file is the line `c2sp.org/tlog-proof@v1`, optionally `extra <base64>`, `index <decimal>`, the
inclusion path from the leaf's sibling upward (one base64 hash a line), an empty line, and the
checkpoint as it stands. Ours have no extra data: nothing vouches for it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from evidence.errors import ProofError
from evidence.merkle import verify_inclusion
from evidence.note import checkpoint_hash, plain_number, unverified_checkpoint

HEADER = "c2sp.org/tlog-proof@v1"
# A tree of 2^63 leaves is so high.
MAX_STEPS = 63
MAX_PROOF = 1 << 17


@dataclass(frozen=True, slots=True)
class LogProof:
    """An entry's index, its path (32-byte hashes), and the note of the checkpoint; unchecked."""

    index: int
    path: tuple[bytes, ...]
    note: str


def write_proof(index: int, path: Sequence[bytes], note: str) -> bytes:
    """Return the file of one proof."""
    steps = "".join(f"{base64.b64encode(step).decode()}\n" for step in path)
    return f"{HEADER}\nindex {index}\n{steps}\n{note}".encode()


def read_proof(data: bytes) -> LogProof:
    """Read the file of one proof in the form that `write_proof` gives; extra data is refused.

    Raises:
        ProofError: when it is malformed.
        NoteError: when index or a hash is not in its only form.
    """
    if len(data) > MAX_PROOF:
        raise ProofError(f"a proof of {len(data)} bytes; at most {MAX_PROOF} are read")
    try:
        head, blank, note = data.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise ProofError("a proof that is not UTF-8") from error
    lines = head.split("\n")
    if not blank or len(lines) < 2 or lines[0] != HEADER:
        raise ProofError(f"no proof: expected the line {HEADER!r}, an index, and a checkpoint")
    word, _, number = lines[1].partition(" ")
    if word != "index":
        raise ProofError(
            "a proof whose second line is not 'index <number>'; extra data is not read"
        )
    if len(lines) > 2 + MAX_STEPS:
        raise ProofError(f"a proof of {len(lines) - 2} steps; no tree is higher than {MAX_STEPS}")
    path = tuple(checkpoint_hash(line, "step of a proof") for line in lines[2:])
    return LogProof(plain_number(number, "index"), path, note)


def check_proof(proof: LogProof, leaf: bytes) -> None:
    """Check that the entry of leaf hash `leaf` stands in the proof's own checkpoint.

    Who signed that checkpoint is not looked at.

    Raises:
        NoteError: when the checkpoint is malformed.
        ProofError: when it does not stand there.
    """
    head = unverified_checkpoint(proof.note)
    verify_inclusion(leaf, proof.index, head.size, proof.path, head.root)
