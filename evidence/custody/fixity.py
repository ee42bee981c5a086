"""Reads artifacts of the locker again, and says whether each is still what was stored.

What was found is the body of `verify.result` entries; the view tells from them when each artifact
was last proven intact.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from evidence.artifact_store import ArtifactStore
from evidence.custody.follow import COVERED, INTACT
from evidence.custody.opening import manifest_of
from evidence.custody.state import Artifact
from evidence.errors import EvidenceError, LockerError

# Results of so many artifacts fit a ledger entry's 64 KiB, whatever each says of why.
PER_ENTRY = 50
MAX_WHY = 180


@dataclass(frozen=True, slots=True)
class Checked:
    """What one reading found, as `follow.FOUND` has it, and in words why it is not intact."""

    artifact: Artifact
    found: str
    why: str = ""


def due(artifacts: Iterable[Artifact], count: int | None) -> list[Artifact]:
    """Return the artifacts to read: the `count` whose proof is oldest; all when None.

    Taken so, every artifact has its turn: N artifacts at K a day are all read within N/K days.
    What was disposed of is not read.
    """
    living = [artifact for artifact in artifacts if artifact.disposed is None]
    living.sort(key=lambda a: (a.last_checked or a.stored_at, a.artifact_id))
    return living if count is None else living[:count]


def check(locker: ArtifactStore, artifact: Artifact) -> Checked:
    """Read an artifact, its manifest and its erasable key again; never raises for what it finds."""
    found = _look(locker, artifact.manifest_sha256, None)
    if found != INTACT:
        return Checked(artifact, found, f"its manifest ({artifact.manifest_sha256})")
    try:
        manifest = manifest_of(locker, artifact)
    except EvidenceError as error:
        return Checked(artifact, "altered", str(error))
    # The very version that the manifest names, where the store has versions.
    found = _look(locker, artifact.stored_sha256, manifest.stored_version)
    if found != INTACT:
        return Checked(artifact, found, f"its bytes ({artifact.stored_sha256})")
    encryption = manifest.encryption
    if encryption is not None and encryption.erasable:
        try:
            locker.keys.get(artifact.stored_sha256)
        except LockerError as error:
            return Checked(artifact, "keyless", str(error))
    try:
        over = _over(locker, artifact)
    except LockerError as error:
        return Checked(artifact, "unreadable", str(error))
    return Checked(artifact, COVERED, over) if over else Checked(artifact, INTACT)


def bodies(checked: list[Checked], of: int) -> Iterator[dict[str, Any]]:
    """Yield the bodies of entries that say what was found; `of` is how many there are in all."""
    for start in range(0, len(checked), PER_ENTRY):
        part = checked[start : start + PER_ENTRY]
        yield {"checked": [_member(one) for one in part], "read": len(checked), "of": of}


def _member(one: Checked) -> dict[str, str]:
    member = {
        "artifact_id": one.artifact.artifact_id,
        "stored_sha256": one.artifact.stored_sha256,
        "found": one.found,
    }
    return member | ({"why": one.why[:MAX_WHY]} if one.why else {})


def _look(locker: ArtifactStore, sha256: str, version: str | None) -> str:
    try:
        with locker.open(sha256, version) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except LockerError:
        return "unreadable" if _there(locker, sha256) else "missing"
    except OSError:
        return "unreadable"
    return INTACT if digest == sha256 else "altered"


def _there(locker: ArtifactStore, sha256: str) -> bool:
    try:
        return locker.there(sha256)
    except LockerError:
        # A store that does not answer has not lost it.
        return True


def _over(locker: ArtifactStore, artifact: Artifact) -> str:
    """Return in words what was laid over an artifact or its manifest; empty for nothing."""
    for sha256 in (artifact.stored_sha256, artifact.manifest_sha256):
        if what := locker.over(sha256):
            return f"{what} over {sha256}"
    return ""
