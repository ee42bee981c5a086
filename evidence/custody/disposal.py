"""Erases what the ledger says is disposed of, and looks that it is gone.

The signed entry `disposed` is committed before; what a crash leaves over, `erase` again finishes.
"""

from evidence.artifact_store import ArtifactStore
from evidence.custody.opening import manifest_of
from evidence.custody.state import Artifact, CaseCustody
from evidence.errors import CustodyError


def refuse_unerasable(state: CaseCustody, artifact: Artifact, locker: ArtifactStore) -> None:
    """Check that an artifact of the case can be erased alone.

    Raises:
        CustodyError: when it lies in the clear, was sealed before there were erasable keys, or is
            another case's by its manifest.
        LockerError: when its manifest is missing or altered.
    """
    manifest = manifest_of(locker, artifact)
    if manifest.case != state.case:
        # Else an entry in one case could erase what another case holds.
        raise CustodyError(f"artifact {artifact.artifact_id} is another case's by its manifest")
    encryption = manifest.encryption
    if encryption is None:
        raise CustodyError(
            f"artifact {artifact.artifact_id} lies in the clear, so there is no key to erase; the "
            "same bytes may be another artifact's. Only sealed artifacts are disposed of"
        )
    if not encryption.erasable:
        raise CustodyError(
            f"artifact {artifact.artifact_id} was sealed before each had a key that can be erased "
            "alone; only the loss of the wrapping key would erase it"
        )


def erase(state: CaseCustody, locker: ArtifactStore) -> list[Artifact]:
    """Erase the keys of all artifacts that were disposed of; return those that had one left.

    `state` is replayed from what is committed.

    Raises:
        CustodyError: when a key is still there afterwards. LockerError: when one cannot be erased.
    """
    gone = [artifact for artifact in state.artifacts.values() if artifact.disposed]
    erased = [artifact for artifact in gone if locker.keys.there(artifact.stored_sha256)]
    for artifact in erased:
        locker.keys.erase(artifact.stored_sha256)
    if left := [a.artifact_id for a in erased if locker.keys.there(a.stored_sha256)]:
        raise CustodyError(f"the keys of {', '.join(left)} are still there after they were erased")
    return erased
