"""The signed description of one artifact: what it is, where it came from, how it is stored.

Canonical JSON with these members (sizes as decimal strings, times RFC 3339 UTC, hashes in hex):
`schema`, `artifact_id`, `name`, `media_type`, `case` (pseudonym), `source` {`name`, `call`,
`target` (HMAC-SHA256 commitment)}, `acquired` {`start`, `end`}, `plain` {`sha256` or, when
sensitive, `hmac_sha256` over it; `size`}, `stored` {`sha256`, `size`}, `encryption` {`alg`, `key`,
`wrap`, `wrapped_key`} or null, `sensitive`, `source_stable`, `gaps` [{`start`, `size`, `why`}],
`tool` {`name`, `version`}.
Signed as an attached ES256 JWS with typ `TYP`. Standard library only, for the verifier reads it.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence.errors import CanonicalError, ManifestError
from evidence.leaf import is_stamp
from evidence.strict_json import canonical_form, parse_canonical

SCHEMA = "urn:stanch:manifest:1"
TYP = "evidence-manifest+jws"
ENCRYPTION = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM"
KEY_WRAP = "A256KW"
# Wrapped twice: by a key of the artifact's own, which can be erased, then by the wrapping key.
ERASABLE_WRAP = "A256KW+A256KW"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a sensitive artifact was sealed: key reference, the wrapped data key in hex, and how.

    `wrap` is `ERASABLE_WRAP`, or `KEY_WRAP` in manifests from before there were erasable keys.
    """

    key: str
    wrapped_key: str
    wrap: str = KEY_WRAP


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes that the source did not give, and that are kept as zeros: where, how many, and why."""

    start: int
    size: int
    why: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One artifact's description; fields as in this module's docstring, sizes in bytes.

    `plain_digest` is the SHA-256 of the content, or its keyed digest when `encryption` is set.
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


def target_commitment(salt: bytes, target: str) -> str:
    """Return the commitment to a source's target, in hex; `salt` is 32 random bytes."""
    return hmac.digest(salt, b"target\x00" + target.encode(), hashlib.sha256).hex()


def to_dict(manifest: Manifest) -> dict[str, Any]:
    """Return the manifest as the members that are signed."""
    sealed = manifest.encryption
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
        "stored": {"sha256": manifest.stored_sha256, "size": str(manifest.stored_size)},
        "encryption": None
        if sealed is None
        else {
            "alg": ENCRYPTION,
            "key": sealed.key,
            "wrap": sealed.wrap,
            "wrapped_key": sealed.wrapped_key,
        },
        "sensitive": manifest.sensitive,
        "source_stable": manifest.source_stable,
        "gaps": [{"start": str(g.start), "size": str(g.size), "why": g.why} for g in manifest.gaps],
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
        again = canonical_form(to_dict(manifest))
    except (KeyError, TypeError, ValueError, AttributeError, CanonicalError) as error:
        raise ManifestError(f"manifest has not the members of {SCHEMA}") from error
    if again != payload:
        raise ManifestError(f"manifest has not exactly the members of {SCHEMA}")
    _refuse_contradiction(manifest)
    return manifest


def _from(members: Mapping[str, Any]) -> Manifest:
    sealed = members["encryption"]
    return Manifest(
        artifact_id=_text(members["artifact_id"]),
        name=_text(members["name"]),
        media_type=_text(members["media_type"]),
        case=_text(members["case"]),
        source=_text(members["source"]["name"]),
        call=_text(members["source"]["call"]),
        target=_hash(members["source"]["target"]),
        acquired_start=_time(members["acquired"]["start"]),
        acquired_end=_time(members["acquired"]["end"]),
        plain_digest=_hash(members["plain"]["sha256" if sealed is None else "hmac_sha256"]),
        plain_size=_size(members["plain"]["size"]),
        stored_sha256=_hash(members["stored"]["sha256"]),
        stored_size=_size(members["stored"]["size"]),
        encryption=None
        if sealed is None
        else Encryption(_text(sealed["key"]), _hex(sealed["wrapped_key"]), _wrap(sealed["wrap"])),
        sensitive=_flag(members["sensitive"]),
        source_stable=_flag(members["source_stable"]),
        tool=_text(members["tool"]["name"]),
        tool_version=_text(members["tool"]["version"]),
        gaps=tuple(
            Gap(_size(g["start"]), _size(g["size"]), _text(g["why"])) for g in members["gaps"]
        ),
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
    if manifest.acquired_start > manifest.acquired_end:
        raise ManifestError("manifest contradicts itself: acquired before it was begun")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _wrap(value: object) -> str:
    if value not in (KEY_WRAP, ERASABLE_WRAP):
        raise ValueError("not a way of wrapping keys that is known")
    return _text(value)


def _time(value: object) -> str:
    if not is_stamp(value):
        raise ValueError("not a time in RFC 3339, UTC, microseconds")
    return _text(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not true or false")
    return value


def _hex(value: object) -> str:
    if not re.fullmatch("([0-9a-f]{2})+", _text(value)):
        raise ValueError("not bytes in hex")
    return _text(value)


def _hash(value: object) -> str:
    if not _SHA256.fullmatch(_text(value)):
        raise ValueError("not a SHA-256 in hex")
    return _text(value)


def _size(value: object) -> int:
    if not _SIZE.fullmatch(_text(value)):
        raise ValueError("not a size in decimal")
    return int(_text(value))
