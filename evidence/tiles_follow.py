"""Follows a published ledger: is it whole, signed, and does it go on from what was seen last?

Whoever mirrors the folder holds every leaf, so a ledger that was cut, changed or shown to others
otherwise cannot go on with them unnoticed.
"""

from dataclasses import dataclass
from pathlib import Path

from evidence import tiles_check
from evidence.cosignature import cosigned
from evidence.errors import ForkError, NoteError
from evidence.note import MAX_NOTE, Checkpoint
from evidence.tiles import CHECKPOINT
from evidence.verify_head import open_head
from evidence.verify_trust import Trust


@dataclass(frozen=True, slots=True)
class Followed:
    """What is published: the head, its note, and whether the trusted quorum cosigned it."""

    head: Checkpoint
    note: str
    witnessed: bool


def follow(folder: Path, trust: Trust, last: str | None) -> Followed:
    """Check the ledger published in `folder` against the note that was accepted `last`.

    Raises:
        MissingTileError: when something is not there.
        TilesError, NoteError: when something does not follow from the entries, or is not signed.
        ForkError: when the ledger does not go on from `last`. Both notes together prove it.
    """
    note = read_note(folder)
    head = open_head(note, trust)
    before = Checkpoint(head.origin, 0, b"") if last is None else open_head(last, trust)
    if head.size < before.size:
        raise ForkError(
            f"it holds {head.size} entries, but held {before.size}: it was cut, or this copy of it "
            "is an older one than was seen last"
        )
    roots = tiles_check.roots(folder, head.size, [before.size])
    if roots[head.size] != head.root:
        raise NoteError(f"the {head.size} entries lead to another root than {CHECKPOINT} states")
    if last is not None and roots[before.size] != before.root:
        raise ForkError(
            f"its first {before.size} entries are not those that were seen last, yet the log "
            "signed both: its history was rewritten"
        )
    return Followed(head, note, _witnessed(note, trust))


def read_note(folder: Path) -> str:
    """Return the published checkpoint, unchecked.

    Raises:
        MissingTileError, TilesError: when it cannot be read. NoteError: when it is no text.
    """
    try:
        return tiles_check.read(folder, CHECKPOINT, MAX_NOTE).decode()
    except UnicodeDecodeError as error:
        raise NoteError(f"{CHECKPOINT} is not UTF-8") from error


def _witnessed(note: str, trust: Trust) -> bool:
    if trust.second is not None and trust.second not in cosigned(note, [trust.second]):
        raise NoteError(f"{CHECKPOINT} lacks the ML-DSA-44 signature of the log's second key")
    if trust.policy is None or not trust.policy.asks:
        return False
    return trust.policy.met(cosigned(note, trust.policy.witnesses.values()))
