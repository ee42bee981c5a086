"""A redaction map: what is taken out of an artifact, on which ground, and why.

Canonical JSON with exactly: `schema`, `form` (`bytes` or `json`), `original` {`artifact_id`,
`manifest_sha256`}, `redactions`, one at least. Of form `bytes` each has `start` and `size`
(decimal, in the original's content), `length` (`kept` or `hidden`), `basis` and `reason`; in
order, never overlapping. Of form `json` each has `pointer` (RFC 6901), `basis` and `reason`; sorted
by pointer, none within another. Standard library only, for the verifier reads it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from evidence.errors import CanonicalError, RedactionError
from evidence.manifest_values import Origin
from evidence.strict_json import canonical_form, parse_canonical

SCHEMA = "urn:stanch:redaction-map:1"
MEDIA_TYPE = "application/vnd.stanch.redaction-map+json"
BYTES, JSON = "bytes", "json"
MAX_MAP = 1 << 20
MAX_TEXT = 500

_LENGTH = {"kept": False, "hidden": True}
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*+)*+")
_ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes that are taken out: where they begin, how many, and whether the copy hides how many."""

    start: int
    size: int
    hidden: bool

    @property
    def end(self) -> int:
        """Where the next byte stands that is not taken out by it."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Map:
    """What is taken out of `original`: `ranges` of its bytes, or the values at `pointers`."""

    original: Origin
    ranges: tuple[Range, ...] = ()
    pointers: tuple[str, ...] = ()

    @property
    def form(self) -> str:
        """Whether it names bytes or values."""
        return BYTES if self.ranges else JSON


def read_map(data: bytes) -> Map:
    """Read a redaction map.

    Raises:
        RedactionError: when it is not canonical, not of this schema, or contradicts itself.
    """
    try:
        members = parse_canonical(data, max_bytes=MAX_MAP)
    except CanonicalError as error:
        raise RedactionError(f"redaction map: {error}") from error
    return check_map(members)


def map_bytes(form: object, original: Origin, redactions: object) -> bytes:
    """Return the map's bytes, from what a reviewer wrote.

    Raises:
        RedactionError: as `read_map`.
    """
    members = {"schema": SCHEMA, "form": form, "original": original.members()}
    try:
        data = canonical_form(members | {"redactions": redactions})
    except CanonicalError as error:
        raise RedactionError(f"redaction map: {error}") from error
    read_map(data)
    return data


def check_map(members: object) -> Map:
    """Return the map that these members are. Raises as `read_map`."""
    found = _exactly(members, {"schema", "form", "original", "redactions"}, "the map")
    if found["schema"] != SCHEMA:
        raise RedactionError(f"redaction map is of no schema known here; expected {SCHEMA}")
    named = _exactly(found["original"], {"artifact_id", "manifest_sha256"}, "original")
    if not (_is(_ID, named["artifact_id"]) and _is(_SHA256, named["manifest_sha256"])):
        raise RedactionError("redaction map names no original; expected its id and manifest")
    original, redactions = Origin(**named), found["redactions"]
    if not isinstance(redactions, list) or not redactions:
        raise RedactionError("redaction map takes nothing out; expected one redaction at least")
    if found["form"] == BYTES:
        ranges = tuple(_range(one, f"redaction {n}") for n, one in enumerate(redactions))
        _refuse_disorder(ranges)
        return Map(original, ranges=ranges)
    if found["form"] == JSON:
        pointers = tuple(_pointer(one, f"redaction {n}") for n, one in enumerate(redactions))
        _refuse_nested(pointers)
        return Map(original, pointers=pointers)
    raise RedactionError(f"redaction map is of no form known here; expected {BYTES} or {JSON}")


def _range(one: object, place: str) -> Range:
    found = _exactly(one, {"start", "size", "length", "basis", "reason"}, place)
    _refuse_unreasoned(found, place)
    if not (_is(_SIZE, found["start"]) and _is(_SIZE, found["size"])) or found["size"] == "0":
        raise RedactionError(f"{place}: start or size is no decimal text, or the size is 0")
    if found["length"] not in _LENGTH:
        raise RedactionError(f"{place}: length is neither of {', '.join(_LENGTH)}")
    return Range(int(found["start"]), int(found["size"]), _LENGTH[found["length"]])


def _pointer(one: object, place: str) -> str:
    found = _exactly(one, {"pointer", "basis", "reason"}, place)
    _refuse_unreasoned(found, place)
    if not _is(_POINTER, found["pointer"]):
        raise RedactionError(f"{place}: is no JSON pointer; expected one such as /user/name")
    return str(found["pointer"])


def _refuse_disorder(ranges: Sequence[Range]) -> None:
    for number, (one, after) in enumerate(pairwise(ranges), 1):
        if after.start < one.start:
            raise RedactionError(f"redaction {number} stands before the one above it; sort them")
        if after.start < one.end:
            raise RedactionError(f"redaction {number} overlaps the one above it; join them")


def _refuse_nested(pointers: Sequence[str]) -> None:
    if list(pointers) != sorted(set(pointers)):
        raise RedactionError("pointers are not sorted, or one stands twice; sort them")
    whole = set(pointers)
    for one in pointers:
        above = [one[:at] for at, letter in enumerate(one) if letter == "/"]
        if inside := whole.intersection(above):
            raise RedactionError(f"{one[:80]!r} lies within {min(inside)[:80]!r}, which goes whole")


def _refuse_unreasoned(found: Mapping[str, Any], place: str) -> None:
    for name in ("basis", "reason"):
        value = found[name]
        if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
            raise RedactionError(
                f"{place}: {name} is no printable text of 1 to {MAX_TEXT} characters"
            )


def _exactly(members: object, names: set[str], place: str) -> Mapping[str, Any]:
    if not isinstance(members, dict) or members.keys() != names:
        raise RedactionError(f"{place} has not exactly {', '.join(sorted(names))}")
    return members


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
