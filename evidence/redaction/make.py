"""Makes a redacted copy of an artifact by a reviewer's map, and takes both into custody.

What is left to the caller is to append, in one transaction, the two `artifact.stored` entries and
the `redaction` that a reviewer signed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from evidence.custody.opening import content, manifest_of
from evidence.custody.state import Artifact
from evidence.deposit import Acquisition, Custody, deposit
from evidence.errors import RedactionError
from evidence.manifest_values import Derived, Gap, Origin
from evidence.redaction import pointers, ranges
from evidence.redaction.map import BYTES, MEDIA_TYPE, Map, map_bytes, read_map
from evidence.sources.item import Item

SOURCE = "redaction"


@dataclass(frozen=True, slots=True)
class Made:
    """The bodies of the `artifact.stored` entries of the map and of the copy."""

    map: Mapping[str, Any]
    copy: Mapping[str, Any]

    def stated(self, original: Artifact) -> dict[str, dict[str, str]]:
        """Return what the reviewer's statement names: what stays of original, map and copy."""
        whole = {"original": what_of(original), "map": _kept(self.map), "copy": _kept(self.copy)}
        return whole


def redact(
    custody: Custody,
    original: Artifact,
    form: object,
    redactions: object,
    about: Acquisition,
    *,
    sealed: bool = False,
) -> Made:
    """Store a redacted copy of `original`, and the map of what was taken out, in this order: map.

    `form` and `redactions` are the map's members as a reviewer wrote them. `about` has the case and
    the times; its source and target are set here. The copy lies in the clear unless `sealed`.

    Raises:
        RedactionError: when the map is malformed, or does not fit the content: nothing is kept.
        LockerError, CustodyError: when the original cannot be read.
    """
    manifest = manifest_of(custody.locker, original)
    origin = Origin(original.artifact_id, original.manifest_sha256)
    data = map_bytes(form, origin, redactions)
    found = read_map(data)
    if found.form == BYTES:
        ranges.copy_size(manifest.plain_size, found.ranges)
    about = replace(about, source=SOURCE, target=original.artifact_id)
    described = Item(f"{original.name}.redaction-map", MEDIA_TYPE, data, False, "redaction.map")
    mapped = deposit(custody, described, about)
    blocks = _redacted(content(custody.locker, original, custody.wrap), manifest.plain_size, found)
    copy = Item(
        f"{original.name}.redacted",
        manifest.media_type,
        b"",
        sealed,
        "redaction.copy",
        stream=_Blocks(iter(blocks)),
        derived=Derived((origin,), "stanch", custody.tool_version, mapped["stored_sha256"]),
    )
    return Made(mapped, deposit(custody, copy, about))


def what_of(artifact: Artifact) -> dict[str, str]:
    """Return what a statement names of an artifact."""
    return {name: getattr(artifact, name) for name in _NAMED}


@dataclass(slots=True)
class _Blocks:
    """Content that is made while it is stored."""

    blocks: Iterator[bytes]

    def read(self) -> bytes:
        return next(filter(None, self.blocks), b"")

    def stable(self) -> bool:
        return True

    def all_gaps(self) -> tuple[Gap, ...]:
        return ()


_NAMED = ("artifact_id", "stored_sha256", "manifest_sha256", "size")


def _kept(body: Mapping[str, Any]) -> dict[str, str]:
    return {name: body[name] for name in _NAMED}


def _redacted(blocks: Iterable[bytes], size: int, found: Map) -> Iterable[bytes]:
    if found.form == BYTES:
        return ranges.redacted(blocks, found.ranges)
    if size > pointers.MAX_JSON:
        raise RedactionError(
            f"content of {size} bytes; JSON of at most {pointers.MAX_JSON} is redacted by "
            "pointers. Redact this artifact by ranges of bytes"
        )
    return [pointers.redacted(b"".join(blocks), found.pointers)]
