"""Redacted copies against their maps, and what an export leaves out on purpose."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.evidence.second.custody import read_statement, text
from tests.evidence.second.entries import Entry
from tests.evidence.second.findings import Findings, LackingError, WrongError, need
from tests.evidence.second.texts import (
    HASH,
    SIZE,
    canonical,
    dumps,
    loads,
    matches,
    members,
)
from tests.evidence.second.trust import Trust

ARTIFACTS = "data/artifacts/"
VALUE = re.compile(r"\*|[a-z][a-z0-9_.-]{0,63}|/[ -~]{0,199}")
POINTER = re.compile(r"(?:/(?:[^/~]|~0|~1)*)*")
NUMBER = re.compile(r"0|[1-9][0-9]*")
MARK, LARGE = b"[redacted]", 64 << 20

Manifests = Mapping[str, dict[str, Any]]


@dataclass
class Withheld:
    artifacts: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)


def read_withheld(stated: Any) -> Withheld:
    members(stated, artifacts=list, values=list)
    matches(HASH, *stated["artifacts"])
    matches(VALUE, *stated["values"])
    for listed in stated.values():
        need(len(listed) <= 1000 and listed == sorted(set(listed)), "is not sorted, each once")
    return Withheld(**stated)


def read_map(data: bytes, original: dict[str, str], size: int) -> dict[str, Any]:
    """Return a map that takes something out of this original of `size` bytes."""
    need(len(data) <= 1 << 20, "a map is larger than 1 MiB")
    made: dict[str, Any] = canonical(data)
    members(made, schema=str, original=dict, form=str, redactions=list)
    need(made["schema"] == "urn:stanch:redaction-map:1", "the map's schema is not known")
    named = {name: original[name] for name in ("artifact_id", "manifest_sha256")}
    need(made["original"] == named, "the map is of another original")
    need(made["form"] in ("bytes", "json"), "the map's form is not known")
    need(bool(made["redactions"]), "the map takes nothing out")
    more = ("start", "size", "length") if made["form"] == "bytes" else ("pointer",)
    for one in made["redactions"]:
        members(one, basis=str, reason=str, **dict.fromkeys(more, str))
        text(one["basis"])
        text(one["reason"])
    if made["form"] == "bytes":
        check_ranges(made["redactions"], size)
    else:
        check_pointers([one["pointer"] for one in made["redactions"]])
    return made


def check_ranges(redactions: list[dict[str, str]], size: int) -> None:
    end = 0
    for one in redactions:
        matches(SIZE, one["start"], one["size"])
        need(one["size"] != "0" and one["length"] in ("kept", "hidden"), "a range is malformed")
        need(int(one["start"]) >= end, "ranges are not in order, or overlap")
        end = int(one["start"]) + int(one["size"])
    need(end <= size, "a range ends behind the content")


def check_pointers(pointers: list[str]) -> None:
    matches(POINTER, *pointers)
    need(pointers == sorted(set(pointers)), "pointers are not sorted, each once")
    for one in pointers:
        need(not any(other.startswith(f"{one}/") for other in pointers), "a pointer is in another")


def take_out(data: bytes, redactions: list[dict[str, str]]) -> bytes:
    made, at = b"", 0
    for one in redactions:
        start, size = int(one["start"]), int(one["size"])
        made += data[at:start] + (MARK if one["length"] == "hidden" else b"X" * size)
        at = start + size
    return made + data[at:]


def compare_ranges(redactions: list[dict[str, str]], copy: bytes, size: int) -> None:
    """Without the original: between what stands in each range anything may stand."""
    blank = take_out(bytes(size), redactions)
    need(len(copy) == len(blank), "the copy has another size than its map gives")
    moved = 0
    for one in redactions:
        start, many = int(one["start"]) + moved, int(one["size"])
        put = MARK if one["length"] == "hidden" else b"X" * many
        need(copy[start : start + len(put)] == put, "the copy has something else in a range")
        moved += len(put) - many


def step(value: Any, token: str) -> tuple[Any, Any]:
    """Return the name or number of a pointer's token, and the value there."""
    name: Any = token.replace("~1", "/").replace("~0", "~")
    if isinstance(value, list) and NUMBER.fullmatch(token) and int(token) < len(value):
        name = int(token)
    elif not isinstance(value, dict) or name not in value:
        raise WrongError("a pointer names nothing")
    return name, value[name]


def values_at(root: dict[str, Any], pointers: list[str]) -> list[tuple[Any, Any]]:
    """Return where each pointer's value is held, and under which name."""
    found = []
    for pointer in pointers:
        holder: Any = root
        name: Any = ""
        for token in pointer.split("/")[1:]:
            holder = holder[name]
            name, _ = step(holder, token)
        found.append((holder, name))
    return found


def replaced(data: bytes, pointers: list[str]) -> bytes:
    root = {"": loads(data)}
    for holder, name in values_at(root, pointers):
        holder[name] = MARK.decode()
    return dumps(root[""])


def compare_values(pointers: list[str], copy: bytes) -> None:
    root = {"": canonical(copy)}
    for holder, name in values_at(root, pointers):
        need(holder[name] == MARK.decode(), "the copy has something else at a pointer")


def check_redaction(files: Mapping[str, bytes], said: dict[str, Any], manifests: Manifests) -> None:
    found = []
    for role in ("original", "map", "copy"):
        need(said[role]["manifest_sha256"] in manifests, f"its {role} is none of those here")
        one = manifests[said[role]["manifest_sha256"]]
        told = {
            "artifact_id": one["artifact_id"],
            "manifest_sha256": said[role]["manifest_sha256"],
            "stored_sha256": one["stored"]["sha256"],
            "size": one["plain"]["size"],
        }
        need(said[role] == told, f"its {role} is told otherwise")
        found.append(one)
    original, mapped, copy = found
    derived = copy["derived"] or {}
    origin = {name: said["original"][name] for name in ("artifact_id", "manifest_sha256")}
    need(derived.get("from") == [origin], "its copy is not derived from its original")
    need(derived["map_sha256"] == mapped["stored"]["sha256"], "its copy is derived by another map")
    need(not mapped["sensitive"], "its map is not in the clear")
    place = ARTIFACTS + mapped["stored"]["sha256"]
    if place not in files:
        raise LackingError("its map is missing")
    size = int(original["plain"]["size"])
    made = read_map(files[place], origin, size)
    compare(files, made, original, copy)


def compare(files: Mapping[str, bytes], made: dict[str, Any], original: Any, copy: Any) -> None:
    sizes = [int(one["plain"]["size"]) for one in (original, copy)]
    redactions = made["redactions"]
    by_bytes = made["form"] == "bytes"
    if by_bytes:
        hidden = [int(one["size"]) for one in redactions if one["length"] == "hidden"]
        expected = sizes[0] - sum(hidden) + len(MARK) * len(hidden)
        need(sizes[1] == expected, "the copy has another size than its map gives")
    else:
        need(max(sizes) <= LARGE, "is of JSON above 64 MiB")
    here = files.get(ARTIFACTS + copy["stored"]["sha256"])
    if copy["sensitive"] or here is None:
        return
    pointers = [] if by_bytes else [one["pointer"] for one in redactions]
    if by_bytes:
        compare_ranges(redactions, here, sizes[0])
    else:
        compare_values(pointers, here)
    whole = files.get(ARTIFACTS + original["stored"]["sha256"])
    if whole is not None and not original["sensitive"]:
        expected_copy = take_out(whole, redactions) if by_bytes else replaced(whole, pointers)
        need(here == expected_copy, "the copy is not what its map makes of the original")


def check_redactions(
    files: Mapping[str, bytes],
    entries: list[Entry],
    manifests: Manifests,
    withheld: Withheld,
    trust: Trust | None,
    to: Findings,
) -> None:
    """Check each redaction, each copy, and each artifact that is said to be withheld."""
    copies: dict[str, set[str]] = {}
    reviewed: set[str] = set()
    entries = [entry for entry in entries if entry.leaf["kind"] == "redaction"]
    for entry in (entry for entry in entries if entry.body is not None):
        with to.about(f"entry {entry.index}"):
            said = read_statement(entry.body, trust.people if trust else {})
            need(said["kind"] == "redaction", "states something else than its entry")
            # A map that is missing leaves it open what the copy should be, but not of what it is.
            try:
                check_redaction(files, said, manifests)
            finally:
                copies.setdefault(said["original"]["stored_sha256"], set()).add(
                    said["copy"]["stored_sha256"]
                )
                reviewed.add(said["copy"]["artifact_id"])
    for digest, one in manifests.items():
        redacted = one["derived"] and one["derived"]["map_sha256"] is not None
        if not redacted or one["source"]["name"] != "redaction" or one["artifact_id"] in reviewed:
            continue
        with to.about(f"manifest {digest}"):
            if any(entry.body is None for entry in entries):
                raise LackingError("whose review is not open")
            need(False, "is of a redacted copy that nobody reviewed")
    stored = {one["stored"]["sha256"] for one in manifests.values()}
    for digest in withheld.artifacts:
        with to.about(ARTIFACTS + digest):
            need(digest in stored, "is withheld, and no manifest names it")
            need(ARTIFACTS + digest not in files, "is here, and said to be withheld")
            need(given(files, digest, copies), "is withheld, and no copy is given")


def given(files: Mapping[str, bytes], digest: str, copies: Mapping[str, set[str]]) -> bool:
    """Whether a copy of this is here, or a copy of a copy."""
    seen: set[str] = set()
    left = [digest]
    while left:
        for copy in copies.get(left.pop(), set()) - seen:
            if ARTIFACTS + copy in files:
                return True
            seen.add(copy)
            left.append(copy)
    return False
