"""Opens the ledger's head with the log key that counts for its size, where the log changed keys."""

from collections.abc import Iterable

from evidence.errors import NoteError
from evidence.note import (
    Checkpoint,
    NoteVerifier,
    open_note,
    parse_checkpoint,
    take_apart,
    unverified_checkpoint,
)
from evidence.verify_trust import Trust


def open_head(note: str, trust: Trust) -> Checkpoint:
    """Return the checkpoint in a note that a log key signed which counts for its size.

    Raises:
        NoteError: when the note does not open, speaks for another log, or only a key signed it
            that does not count for so many entries.
    """
    head = unverified_checkpoint(note)
    counts = [one for one, bounds in trust.logs.items() if bounds.head(head.size)]
    if not signers(note, counts):
        for one in signers(note, trust.logs):
            raise NoteError(
                f"is signed by the log key {one.key_id.hex()}, which counts for "
                f"{trust.logs[one]} of the ledger; this head is of size {head.size}"
            )
    head = parse_checkpoint(open_note(note, counts))
    if head.origin != trust.log.name:
        raise NoteError(f"checkpoint of {head.origin!r}; expected {trust.log.name!r}")
    return head


def signers(note: str, known: Iterable[NoteVerifier]) -> list[NoteVerifier]:
    """Return those of `known` that a line of the note is of; whether it holds is not looked at.

    Raises:
        NoteError: when the note is malformed.
    """
    lines = {(name, signature[:4]) for name, signature in take_apart(note)[1]}
    return [one for one in known if (one.name, one.key_id) in lines]
