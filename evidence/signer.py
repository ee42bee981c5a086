"""The log's signer, which remembers outside the database what it signed last.

It asks for a proof that a new head extends that one, and checks it itself: whoever writes to the
database, or puts an old copy of it in place, gets no signature on another history.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evidence.cosignature import CosigningKey, cosign
from evidence.errors import BehindError, EvidenceError, ForkError, KeyMaterialError, ProofError
from evidence.key_files import read_closed, replace_closed, write_closed
from evidence.merkle import EMPTY_ROOT, verify_consistency
from evidence.note import (
    Checkpoint,
    NoteSigner,
    NoteVerifier,
    checkpoint_text,
    parse_checkpoint,
    sign_note,
)

MEMORY = "signed-head"
MAX_MEMORY = 1 << 12
# Where keys lie that another one followed, below the keys' folder (key_succession.py).
FORMER = "former"

# The consistency proof from one size of the stored tree to another (RFC 6962 section 2.1.2).
Prove = Callable[[int, int], Sequence[bytes]]


class HeadSigner(Protocol):
    """Signs heads of one log, each an extension of all before."""

    @property
    def verifier(self) -> NoteVerifier:
        """The log's name and public key."""

    def sign(self, head: Checkpoint, prove: Prove) -> str:
        """Return the signed note of `head`.

        Raises:
            BehindError: when a larger head was signed before.
            ForkError: when it does not extend the one that was signed last.
        """


@dataclass(frozen=True, slots=True)
class RememberingSigner:
    """A signer in this process; `memory` is a file beside the key, never in the database.

    `second` is the log's ML-DSA-44 key where it has one: it signs each head, too (C2SP
    tlog-checkpoint), so that a forger must break both.
    """

    signer: NoteSigner
    memory: Path
    second: CosigningKey | None = None

    @property
    def verifier(self) -> NoteVerifier:
        """The log's name and public key."""
        return self.signer.verifier

    def begin(self, head: Checkpoint | None = None) -> None:
        """Make the memory of a new log, or of one that was signed up to `head` without any.

        Raises:
            KeyMaterialError: when there is one.
        """
        head = head or Checkpoint(self.verifier.name, 0, EMPTY_ROOT)
        try:
            write_closed(self.memory, checkpoint_text(head).encode())
        except FileExistsError as error:
            raise KeyMaterialError(f"{self.memory} exists; a signer never forgets") from error

    def last(self) -> Checkpoint:
        """Return the head that was signed last.

        Raises:
            ForkError: when the memory was lost, is malformed, or another log's.
        """
        try:
            last = parse_checkpoint(read_closed(self.memory, MAX_MEMORY).decode())
        except (EvidenceError, UnicodeDecodeError) as error:
            raise ForkError(
                f"the signer does not know what it signed last: {error}. Restore {self.memory} "
                "from where it was moved to; a signer without its memory must not go on"
            ) from error
        if last.origin != self.verifier.name:
            raise ForkError(
                f"the signer remembers the log {last.origin!r}, not {self.verifier.name!r}; "
                "use the ledger's own origin and key"
            )
        return last

    def sign(self, head: Checkpoint, prove: Prove) -> str:
        """Return the signed note of `head`, as HeadSigner has it; it is remembered before.

        Raises:
            KeyMaterialError: when another key followed this one.
        """
        with self._turn():
            self._refuse_former()
            last = self.last()
            refuse(last, head, prove)
            if head != last:
                replace_closed(self.memory, checkpoint_text(head).encode())
            text = checkpoint_text(head)
            # Time 0: no statement of when, or of that being the largest; its head says that.
            line = cosign(text, self.second, 0) if self.second else ""
            return sign_note(text, self.signer) + line

    def _refuse_former(self) -> None:
        # This process may have been running since before: what it signed now, nobody would take.
        key = self.verifier.key_id.hex()
        if os.path.lexists(self.memory.parent / FORMER / f"log-{key}.pem"):
            raise KeyMaterialError(
                f"another log key followed {key}, so it signs nothing more; start this process "
                "again, or end a rotation that broke off with `stanch key rotate log`"
            )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # The folder, for the file is another one after each change.
        folder = os.open(self.memory.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def refuse(last: Checkpoint, head: Checkpoint, prove: Prove) -> None:
    """Raise BehindError or ForkError unless `head` extends `last`, of the same log."""
    if head.origin != last.origin:
        raise ForkError(f"a head of {head.origin!r} for the signer of {last.origin!r}")
    if head.size < last.size:
        raise BehindError(
            f"the ledger holds {head.size} entries but {last.size} were signed: it was truncated "
            "or an old copy was restored. Nothing is signed; compare backups",
            last.size,
        )
    try:
        path = prove(last.size, head.size)
        verify_consistency(last.size, head.size, last.root, head.root, path)
    except ProofError as error:
        raise ForkError(
            f"the tree of {head.size} entries does not extend the {last.size} signed before; "
            "stored entries were altered. Nothing is signed; compare backups"
        ) from error
