"""Brings a store's own locks into line with what the ledger says of holds and retention.

The ledger's entry comes first and is committed; then the store is told, and its state is read back.
A crash in between leaves too little locked in the store, never in the ledger, and `settle` again
makes it good.
"""

from dataclasses import dataclass
from typing import Protocol

from evidence.custody.state import Artifact, CaseCustody


class Locks(Protocol):
    """What a store that can lock objects is asked for; objects go by their stored SHA-256 in hex.

    S3 has both with Object Lock: legal hold, and retain-until-date in compliance mode.
    """

    def set_hold(self, sha256: str, on: bool) -> None:
        """Put an object under legal hold, or take it off."""

    def hold(self, sha256: str) -> bool:
        """Return whether an object is under legal hold."""

    def retain(self, sha256: str, until: str) -> None:
        """Keep an object until a time (RFC 3339, UTC); only ever later than before."""

    def retained(self, sha256: str) -> str | None:
        """Return until when an object is kept; None where nothing keeps it."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An artifact whose object is not locked as the ledger says, though the store was told."""

    artifact_id: str
    what: str


def settle(state: CaseCustody, locks: Locks) -> list[Unsettled]:
    """Tell the store what differs from the ledger, read it back, and return what still differs.

    `state` is read after the entry was committed. A folder has no locks, so there is nothing to
    tell it: its holds stand in the ledger alone.
    """
    return [
        Unsettled(artifact.artifact_id, what)
        for artifact in state.artifacts.values()
        if artifact.disposed is None
        for what in _settled(state, artifact, locks)
    ]


def _settled(state: CaseCustody, artifact: Artifact, locks: Locks) -> list[str]:
    sha256, left = artifact.stored_sha256, []
    wanted = bool(state.holds_on(artifact.artifact_id))
    if locks.hold(sha256) != wanted:
        locks.set_hold(sha256, wanted)
        if locks.hold(sha256) != wanted:
            left.append("is to be under hold" if wanted else "is under hold, and no longer to be")
    until = state.retained_until(artifact.artifact_id)
    if until is not None and (locks.retained(sha256) or "") < until:
        locks.retain(sha256, until)
        if (locks.retained(sha256) or "") < until:
            left.append(f"is to be kept until {until}")
    return left
