"""Takes one item into custody: bytes into the locker, a signed manifest beside them.

What is left to the caller is the ledger entry `artifact.stored` with the returned body, in its own
transaction. Until that is committed the artifact is stored but not sealed.
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evidence import jws
from evidence.artifact_store import ArtifactStore
from evidence.canonical import canonical
from evidence.ingest import from_stream
from evidence.keys import ManifestKey, Wrapper
from evidence.leaf import stamp
from evidence.manifest import TYP, Manifest, target_commitment, to_dict
from evidence.sealed import bound_to
from evidence.sources.item import Item

KIND = "artifact.stored"


@dataclass(frozen=True, slots=True)
class Custody:
    """Where items go and who signs for them; `randomness(n)` gives n random bytes."""

    locker: ArtifactStore
    signer: ManifestKey
    wrap: Wrapper
    tool_version: str
    randomness: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How an item came about: the source's name, its target, the case's pseudonym, when.

    Times are aware; `source_stable` is False when the source changed while it was read. `now`
    tells when the reading of a stream ended; without it, that is `end` too.
    """

    source: str
    target: str
    case: str
    start: datetime
    end: datetime
    source_stable: bool = True
    now: Callable[[], datetime] | None = None


def deposit(custody: Custody, item: Item, about: Acquisition) -> dict[str, Any]:
    """Store an item and its signed manifest; return the body of its `artifact.stored` entry.

    A stream is read here, to its end, and never held whole.

    Raises:
        LockerError: when it cannot be stored.
        TokenError: when the manifest cannot be signed.
        KeyServiceError: when a key lives elsewhere and is not to be had.
    """
    salt = custody.randomness(32)
    manifest = _manifest(custody, item, about, salt)
    token = sign_manifest(manifest, custody.signer).encode("ascii")
    custody.locker.put(token)
    return {
        "artifact_id": manifest.artifact_id,
        "name": item.name,
        "source": about.source,
        "call": item.call,
        "target": about.target,
        "target_salt": salt.hex(),
        "sensitive": item.sensitive,
        "size": str(manifest.plain_size),
        "stored_sha256": manifest.stored_sha256,
        "manifest_sha256": hashlib.sha256(token).hexdigest(),
    }


def sign_manifest(manifest: Manifest, signer: ManifestKey) -> str:
    """Return a manifest as an attached ES256 JWS of typ `manifest.TYP`."""
    return jws.sign(canonical(to_dict(manifest)), signer.key, signer.kid, TYP)


def _manifest(custody: Custody, item: Item, about: Acquisition, salt: bytes) -> Manifest:
    stream = item.stream
    artifact_id = custody.randomness(16).hex()
    read = stream.read if stream else from_stream(io.BytesIO(item.data))
    if item.sensitive:
        sealed, _ = custody.locker.put_sealed(read, custody.wrap, bound_to(artifact_id, about.case))
        stored, encryption, plain = sealed.stored, sealed.encryption, sealed.plain_hmac
        size = sealed.plain_size
    else:
        stored, encryption = custody.locker.put(read), None
        plain, size = stored.sha256, stored.size
    end = about.now() if stream and about.now else about.end
    return Manifest(
        artifact_id=artifact_id,
        name=item.name,
        media_type=item.media_type,
        case=about.case,
        source=about.source,
        call=item.call,
        target=target_commitment(salt, about.target),
        acquired_start=stamp(about.start),
        acquired_end=stamp(end),
        plain_digest=plain,
        plain_size=size,
        stored_sha256=stored.sha256,
        stored_size=stored.size,
        encryption=encryption,
        sensitive=item.sensitive,
        source_stable=about.source_stable and (stream is None or stream.stable()),
        tool="stanch",
        tool_version=custody.tool_version,
        gaps=stream.all_gaps() if stream else (),
        stored_version=stored.version,
        parts=stored.parts,
        claims=item.claims(),
        derived=item.derived,
    )
