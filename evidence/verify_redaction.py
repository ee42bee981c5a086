"""Checks redacted copies against their maps, and that what is withheld has a redacted copy."""

from collections.abc import Iterator, Mapping
from typing import Any

from evidence import bag
from evidence.custody.statement import REDACTION, read_signed
from evidence.errors import CustodyError, EvidenceError, RedactionError
from evidence.manifest import Manifest
from evidence.manifest_values import Origin
from evidence.redaction import pointers, ranges
from evidence.redaction.map import BYTES, MAX_MAP, Map, read_map
from evidence.verify_entries import Proven
from evidence.verify_files import Files
from evidence.verify_report import Report
from evidence.withheld import Withheld

SOURCE = "redaction"
_ROLES = ("original", "map", "copy")

Manifests = Mapping[str, Manifest]


def check_redactions(
    files: Files, proven: list[Proven], manifests: Manifests, withheld: Withheld, report: Report
) -> None:
    """Check every `redaction`, every copy, and every artifact that the export withholds.

    `manifests` is path -> manifest. Copies are compared with their originals where both lie here
    in the clear; else with the map alone, and where the copy is sealed, too, by sizes and hashes.
    """
    start = len(report.problems)
    copies: dict[str, list[Manifest]] = {}
    closed = [entry for entry in proven if entry.leaf.kind == REDACTION and entry.opened is None]
    for entry in proven:
        if entry.leaf.kind != REDACTION or entry.opened is None:
            continue
        place = f"ledger entry {entry.index}"
        try:
            original, mapped, copy = _named(entry, entry.opened[1], manifests)
            if f"{bag.ARTIFACTS}{mapped.stored_sha256}" not in files.sizes:
                # That it is missing was said with the artifacts.
                copies.setdefault(original.stored_sha256, []).append(copy)
                continue
            described = _map(files, mapped, _origin(entry.opened[1]))
            for fault in _faults(files, original, copy, described):
                report.invalid(f"{bag.ARTIFACTS}{copy.stored_sha256}", f"{place}: {fault}")
        except EvidenceError as error:
            report.invalid(bag.ENTRIES, f"{place}: {error}")
            continue
        copies.setdefault(original.stored_sha256, []).append(copy)
    _check_reviewed(manifests, copies, bool(closed), report)
    report.checked("redacted copies and their maps", sum(map(len, copies.values())), start)

    start = len(report.problems)
    _check_withheld(files, manifests, copies, withheld, report)
    report.checked("withheld artifacts", len(withheld.artifacts), start)


def _origin(body: Mapping[str, Any]) -> Origin:
    said = body["statement"]["original"]
    return Origin(said["artifact_id"], said["manifest_sha256"])


def _named(
    entry: Proven, body: Mapping[str, Any], manifests: Manifests
) -> tuple[Manifest, Manifest, Manifest]:
    """Return the manifests of original, map and copy, which must be what the reviewer signed."""
    said = read_signed(body).statement
    if said["kind"] != REDACTION or said["case"] != entry.leaf.case:
        raise CustodyError(f"was signed as {said['kind']} for case {said['case']}, not for this")
    found = []
    for role in _ROLES:
        named = said[role]
        manifest = manifests.get(f"{bag.MANIFESTS}{named['manifest_sha256']}.jws")
        if manifest is None:
            raise RedactionError(f"its {role} is none of the artifacts here")
        told = (manifest.artifact_id, manifest.stored_sha256, str(manifest.plain_size))
        if told != (named["artifact_id"], named["stored_sha256"], named["size"]):
            raise RedactionError(f"its {role} has other hashes than were signed")
        found.append(manifest)
    original, mapped, copy = found
    derived = copy.derived
    if derived is None or (derived.origins, derived.map_sha256) != (
        (_origin(body),),
        mapped.stored_sha256,
    ):
        raise RedactionError("its copy is not derived from this original by this map")
    return original, mapped, copy


def _map(files: Files, mapped: Manifest, original: Origin) -> Map:
    if mapped.sensitive:
        raise RedactionError("its map is encrypted, so nobody can check by it")
    found = read_map(files.read(f"{bag.ARTIFACTS}{mapped.stored_sha256}", MAX_MAP))
    if found.original != original:
        raise RedactionError("its map is of another original")
    return found


def _faults(files: Files, original: Manifest, copy: Manifest, described: Map) -> Iterator[str]:
    if described.form == BYTES:
        expected = ranges.copy_size(original.plain_size, described.ranges)
        if copy.plain_size != expected:
            yield f"has {copy.plain_size} bytes; by its map it has {expected}"
            return
    elif max(original.plain_size, copy.plain_size) > pointers.MAX_JSON:
        yield f"is of JSON above {pointers.MAX_JSON} bytes, which is redacted by its bytes"
        return
    here = f"{bag.ARTIFACTS}{copy.stored_sha256}"
    if copy.sensitive or here not in files.sizes:
        return
    whole = f"{bag.ARTIFACTS}{original.stored_sha256}"
    compare = not original.sensitive and whole in files.sizes
    with files.open(here) as made:
        if described.form == BYTES:
            yield from _told(ranges.filled(made.read, described.ranges))
            if compare:
                made.seek(0)
                with files.open(whole) as source:
                    blocks = iter(lambda: source.read(ranges.BLOCK), b"")
                    yield from _told(
                        ranges.unlike(ranges.redacted(blocks, described.ranges), made.read)
                    )
            return
        content = made.read(pointers.MAX_JSON + 1)
    yield from _told(pointers.filled(content, described.pointers))
    if compare:
        source_bytes = files.read(whole, pointers.MAX_JSON)
        if pointers.redacted(source_bytes, described.pointers) != content:
            yield "is not what the map makes of the original, value for value"


def _told(fault: str | None) -> list[str]:
    return [] if fault is None else [fault]


def _check_reviewed(
    manifests: Manifests, copies: Mapping[str, list[Manifest]], closed: bool, report: Report
) -> None:
    reviewed = {copy.artifact_id for found in copies.values() for copy in found}
    for path, manifest in manifests.items():
        described = manifest.derived is not None and manifest.derived.map_sha256 is not None
        if not described or manifest.source != SOURCE or manifest.artifact_id in reviewed:
            continue
        if closed:
            report.incomplete(path, "is of a redacted copy whose redaction entry is not open")
        else:
            report.invalid(path, "is of a redacted copy that no reviewer signed for")


def _check_withheld(
    files: Files,
    manifests: Manifests,
    copies: Mapping[str, list[Manifest]],
    withheld: Withheld,
    report: Report,
) -> None:
    stored = {manifest.stored_sha256 for manifest in manifests.values()}
    for sha256 in withheld.artifacts:
        path = f"{bag.ARTIFACTS}{sha256}"
        given = _given(files, sha256, copies)
        if sha256 not in stored:
            report.invalid(bag.EXPORT, f"withholds {sha256}, which no manifest names")
        elif path in files.sizes:
            report.invalid(path, "is here although the export says that it is withheld")
        elif not given:
            report.invalid(path, "is withheld, but no redacted copy of it is given")
        else:
            report.withheld.append(f"{path} is withheld; redacted copy given: {', '.join(given)}")


def _given(files: Files, sha256: str, copies: Mapping[str, list[Manifest]]) -> list[str]:
    """Return the stored SHA-256 of copies that are here, also of copies that were redacted on."""
    given, seen, left = [], {sha256}, [sha256]
    while left:
        for copy in copies.get(left.pop(), ()):
            if copy.stored_sha256 not in seen:
                seen.add(copy.stored_sha256)
                left.append(copy.stored_sha256)
                if f"{bag.ARTIFACTS}{copy.stored_sha256}" in files.sizes:
                    given.append(copy.stored_sha256)
    return sorted(given)
