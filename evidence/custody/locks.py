"""Brings a store's own locks into line with what the ledger says of holds and retention.

The ledger's entry comes first and is committed; then the store is told, and its state is read back.
A crash in between leaves too little locked in the store, never in the ledger, and `settle` again
makes it good.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from evidence.custody.state import Artifact, CaseCustody
from evidence.errors import LockerError, StoreRefusedError


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


def settle(
    state: CaseCustody, locks: Locks, others: Callable[[], Iterable[CaseCustody]] = tuple
) -> list[Unsettled]:
    """Tell the store what differs from the ledger, read it back, and return what still differs.

    `state` is read after the entry was committed. An artifact's manifest is locked with it: without
    it nothing sealed is read. The same bytes may be an artifact of several cases, so before a hold
    is taken off, `others()` gives these; and it is taken off only where the ledger has a release:
    a hold that somebody else set in the store stays. What is not in the store is named, and the
    others locked all the same.

    Raises:
        StoreRefusedError: when the store does not answer as it should; what is left, is left.
    """
    found: list[CaseCustody] = []

    def elsewhere(sha256: str) -> bool:
        if not found:
            found.extend(others())
        return any(_wanted(one, sha256) for one in found if one.case != state.case)

    return [
        Unsettled(artifact.artifact_id, what)
        for artifact in state.artifacts.values()
        if artifact.disposed is None
        for sha256 in (artifact.stored_sha256, artifact.manifest_sha256)
        for what in _settled(state, artifact, sha256, locks, elsewhere)
    ]


def _settled(
    state: CaseCustody,
    artifact: Artifact,
    sha256: str,
    locks: Locks,
    elsewhere: Callable[[str], bool],
) -> list[str]:
    try:
        return [
            *_settled_hold(state, artifact, sha256, locks, elsewhere),
            *_settled_retention(state, artifact, sha256, locks),
        ]
    except StoreRefusedError:
        raise
    except LockerError as error:
        return [f"{_what(artifact, sha256)} cannot be locked: {error}"]


def _settled_hold(
    state: CaseCustody,
    artifact: Artifact,
    sha256: str,
    locks: Locks,
    elsewhere: Callable[[str], bool],
) -> Iterator[str]:
    wanted = _wanted(state, sha256)
    if locks.hold(sha256) == wanted:
        return
    if not wanted and elsewhere(sha256):
        return
    if not wanted and not _released(state, artifact):
        yield f"{_what(artifact, sha256)} is under a hold that no entry set"
        return
    locks.set_hold(sha256, wanted)
    if locks.hold(sha256) != wanted:
        be = "is to be under hold" if wanted else "is under hold, and no longer to be"
        yield f"{_what(artifact, sha256)} {be}"


def _settled_retention(
    state: CaseCustody, artifact: Artifact, sha256: str, locks: Locks
) -> Iterator[str]:
    until = state.retained_until(artifact.artifact_id)
    if until is not None and (locks.retained(sha256) or "") < until:
        locks.retain(sha256, until)
        if (locks.retained(sha256) or "") < until:
            yield f"{_what(artifact, sha256)} is to be kept until {until}"


def _wanted(state: CaseCustody, sha256: str) -> bool:
    """Return whether any artifact that has these bytes, or this manifest, is under hold."""
    return any(
        bool(state.holds_on(artifact.artifact_id))
        for artifact in state.artifacts.values()
        if sha256 in (artifact.stored_sha256, artifact.manifest_sha256)
    )


def _released(state: CaseCustody, artifact: Artifact) -> bool:
    return any(
        hold.released is not None
        and (hold.artifacts is None or artifact.artifact_id in hold.artifacts)
        for hold in state.holds.values()
    )


def _what(artifact: Artifact, sha256: str) -> str:
    return "what is stored" if sha256 == artifact.stored_sha256 else "its manifest"
