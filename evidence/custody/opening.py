"""Reads an artifact's content back for somebody who may have it: checked, and decrypted."""

import hashlib
from collections.abc import Iterator

from evidence.artifact_store import ArtifactStore
from evidence.chunked import decrypt
from evidence.custody.state import Artifact
from evidence.errors import CustodyError, EvidenceError, LockerError
from evidence.jws_token import take_apart
from evidence.keys import Wrapper
from evidence.locker import CHUNK
from evidence.manifest import TYP, Manifest, read_manifest
from evidence.sealed import bound_to, data_key_of


def manifest_of(locker: ArtifactStore, artifact: Artifact) -> Manifest:
    """Return an artifact's manifest, by the hash that the ledger has of it.

    Raises:
        LockerError: when it is missing or altered.
        CustodyError: when it is not the manifest of this artifact.
    """
    token = locker.read(artifact.manifest_sha256)
    try:
        manifest = read_manifest(take_apart(token.decode("ascii"), TYP).payload)
    except (EvidenceError, UnicodeDecodeError) as error:
        raise CustodyError(f"manifest {artifact.manifest_sha256}: {error}") from error
    told = (manifest.artifact_id, manifest.stored_sha256)
    if told != (artifact.artifact_id, artifact.stored_sha256):
        raise CustodyError(f"manifest {artifact.manifest_sha256} is of another artifact")
    return manifest


def content(locker: ArtifactStore, artifact: Artifact, wrap: Wrapper) -> Iterator[bytes]:
    """Yield an artifact's content, chunk by chunk; keep none of it unless all of it came.

    Raises:
        LockerError: when it is missing or altered, sealed under another key, or disposed of.
        CustodyError: when its manifest is another's.
        KeyServiceError: when the wrapping key lives elsewhere and is not to be had.
    """
    manifest = manifest_of(locker, artifact)
    encryption = manifest.encryption
    sha256 = artifact.stored_sha256
    if encryption is not None:
        key = data_key_of(
            encryption,
            wrap,
            lambda: locker.keys.get(sha256),
            bound_to(manifest.artifact_id, manifest.case),
        )
        with locker.open(sha256, manifest.stored_version) as file:
            yield from decrypt(file, key)
        return
    digest = hashlib.sha256()
    with locker.open(sha256, manifest.stored_version) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            yield chunk
    if digest.hexdigest() != sha256:
        raise LockerError(f"artifact {sha256} was altered on disk; restore it from a copy")
