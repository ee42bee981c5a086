"""The signed description of one artifact: what it is, where it came from, how it is stored.

Canonical JSON with these members (sizes as decimal strings, times RFC 3339 UTC, hashes in hex):
`schema`, `artifact_id`, `name`, `media_type`, `case` (pseudonym), `source` {`name`, `call`,
`target` (HMAC-SHA256 commitment)}, `acquired` {`start`, `end`}, `plain` {`sha256` or, when
sensitive, `hmac_sha256` over it; `size`}, `stored` {`sha256`, `size`, `version`, `parts`},
`encryption`, `sensitive`, `source_stable`, `gaps`, `claims`, `derived`, `tool` {`name`, `version`};
the values of more than one member are in `manifest_values`.
Signed as an attached ES256 JWS with typ `TYP`. Standard library only, for the verifier reads it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence.errors import CanonicalError, ManifestError
from evidence.manifest_values import (
    Claim,
    Derived,
    Encryption,
    Gap,
    Part,
    flag,
    optional,
    read_claims,
    read_derived,
    read_encryption,
    read_gaps,
    read_parts,
    sha256,
    size,
    text,
    time,
)
from evidence.strict_json import parse_canonical

SCHEMA = "urn:stanch:manifest:1"
TYP = "evidence-manifest+jws"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One artifact's description; fields as in this module's docstring, sizes in bytes.

    `plain_digest` is the SHA-256 of the content, or its keyed digest when `encryption` is set.
    `stored_version` is what a store that keeps versions calls this one.
    """

    artifact_id: str
    name: str
    media_type: str
    case: str
    source: str
    call: str
    target: str
    acquired_start: str
    acquired_end: str
    plain_digest: str
    plain_size: int
    stored_sha256: str
    stored_size: int
    encryption: Encryption | None
    sensitive: bool
    source_stable: bool
    tool: str
    tool_version: str
    gaps: tuple[Gap, ...] = ()
    stored_version: str | None = None
    parts: tuple[Part, ...] = ()
    claims: tuple[Claim, ...] = ()
    derived: Derived | None = None


def target_commitment(salt: bytes, target: str) -> str:
    """Return the commitment to a source's target, in hex; `salt` is 32 random bytes."""
    return hmac.digest(salt, b"target\x00" + target.encode(), hashlib.sha256).hex()


def to_dict(manifest: Manifest) -> dict[str, Any]:
    """Return the manifest as the members that are signed."""
    sealed, derived = manifest.encryption, manifest.derived
    return {
        "schema": SCHEMA,
        "artifact_id": manifest.artifact_id,
        "name": manifest.name,
        "media_type": manifest.media_type,
        "case": manifest.case,
        "source": {"name": manifest.source, "call": manifest.call, "target": manifest.target},
        "acquired": {"start": manifest.acquired_start, "end": manifest.acquired_end},
        "plain": {
            "sha256" if sealed is None else "hmac_sha256": manifest.plain_digest,
            "size": str(manifest.plain_size),
        },
        "stored": {
            "sha256": manifest.stored_sha256,
            "size": str(manifest.stored_size),
            "version": manifest.stored_version,
            "parts": [part.members() for part in manifest.parts],
        },
        "encryption": sealed and sealed.members(),
        "sensitive": manifest.sensitive,
        "source_stable": manifest.source_stable,
        "gaps": [gap.members() for gap in manifest.gaps],
        "claims": [claim.members() for claim in manifest.claims],
        "derived": derived and derived.members(),
        "tool": {"name": manifest.tool, "version": manifest.tool_version},
    }


def read_manifest(payload: bytes) -> Manifest:
    """Read a manifest from the payload of its JWS.

    Raises:
        ManifestError: when it is not canonical, not of this schema, or contradicts itself.
    """
    try:
        members = parse_canonical(payload)
    except CanonicalError as error:
        raise ManifestError(f"manifest: {error}") from error
    try:
        manifest = _from(members)
    except (KeyError, TypeError, ValueError, AttributeError, CanonicalError) as error:
        raise ManifestError(f"manifest has not the members of {SCHEMA}") from error
    # Of each value the type was looked at, so that nothing is equal but what is the same.
    if to_dict(manifest) != members:
        raise ManifestError(f"manifest has not exactly the members of {SCHEMA}")
    _refuse_contradiction(manifest)
    return manifest


def _from(members: Mapping[str, Any]) -> Manifest:
    stored, sealed = members["stored"], read_encryption(members["encryption"])
    return Manifest(
        artifact_id=text(members["artifact_id"]),
        name=text(members["name"]),
        media_type=text(members["media_type"]),
        case=text(members["case"]),
        source=text(members["source"]["name"]),
        call=text(members["source"]["call"]),
        target=sha256(members["source"]["target"]),
        acquired_start=time(members["acquired"]["start"]),
        acquired_end=time(members["acquired"]["end"]),
        plain_digest=sha256(members["plain"]["sha256" if sealed is None else "hmac_sha256"]),
        plain_size=size(members["plain"]["size"]),
        stored_sha256=sha256(stored["sha256"]),
        stored_size=size(stored["size"]),
        encryption=sealed,
        sensitive=flag(members["sensitive"]),
        source_stable=flag(members["source_stable"]),
        tool=text(members["tool"]["name"]),
        tool_version=text(members["tool"]["version"]),
        gaps=read_gaps(members["gaps"]),
        stored_version=optional(stored["version"]),
        parts=read_parts(stored["parts"]),
        claims=read_claims(members["claims"]),
        derived=read_derived(members["derived"]),
    )


def _refuse_contradiction(manifest: Manifest) -> None:
    if manifest.sensitive != (manifest.encryption is not None):
        raise ManifestError("manifest contradicts itself: sensitive exactly when encrypted")
    plain = (manifest.plain_digest, manifest.plain_size)
    if not manifest.sensitive and plain != (manifest.stored_sha256, manifest.stored_size):
        raise ManifestError("manifest contradicts itself: stored as is, but of another hash")
    ends = [gap.start + gap.size for gap in manifest.gaps]
    # A source that ended early has its last gap where its content ends.
    beyond = [g for g in manifest.gaps if g.start + g.size > manifest.plain_size]
    if any(g.start != manifest.plain_size for g in beyond):
        raise ManifestError("manifest contradicts itself: a gap ends behind the content")
    if any(g.size == 0 or g.start < end for g, end in zip(manifest.gaps, [0, *ends], strict=False)):
        raise ManifestError("manifest contradicts itself: its gaps are empty or overlap")
    if manifest.parts and sum(part.size for part in manifest.parts) != manifest.stored_size:
        raise ManifestError("manifest contradicts itself: its parts are not as large as the whole")
    if manifest.acquired_start > manifest.acquired_end:
        raise ManifestError("manifest contradicts itself: acquired before it was begun")
