"""Checks a case's ledger entries: form, commitments, sequence, and their place under the head."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from evidence import bag
from evidence.cosignature import can_check, cosigned
from evidence.errors import BundleError, CanonicalError, EvidenceError
from evidence.leaf import Leaf, actor_commitment, body_commitment, read_leaf
from evidence.merkle import leaf_hash, verify_inclusion
from evidence.note import Checkpoint, unverified_checkpoint
from evidence.personal import restored
from evidence.strict_json import canonical_form, parse_canonical, unhex
from evidence.timeline import moment
from evidence.verify_files import Files
from evidence.verify_head import open_head
from evidence.verify_report import Report
from evidence.verify_trust import Trust
from evidence.verify_values import read_values

MAX_LINES = 1 << 28
MAX_NOTE = 1 << 16


@dataclass(frozen=True, slots=True)
class Proven:
    """One entry as exported; `opened` is actor and body, None when erased or wrong."""

    index: int
    leaf: Leaf
    hash: bytes
    opened: tuple[str, Mapping[str, Any]] | None


def check_checkpoint(files: Files, trust: Trust | None, report: Report) -> Checkpoint | None:
    """Return the ledger's head when it is well formed and, given trust, signed by the log."""
    start = len(report.problems)
    head = None
    if bag.CHECKPOINT not in files.sizes:
        report.incomplete(bag.CHECKPOINT, "is missing")
        return None
    try:
        note = files.read(bag.CHECKPOINT, MAX_NOTE).decode()
        head = open_head(note, trust) if trust else unverified_checkpoint(note)
        _check_second(note, trust, report)
    except UnicodeDecodeError:
        report.invalid(bag.CHECKPOINT, "is not UTF-8")
    except EvidenceError as error:
        report.invalid(bag.CHECKPOINT, error)
    report.checked("checkpoint signature" if trust else "checkpoint form", 1, start)
    return head


def _check_second(note: str, trust: Trust | None, report: Report) -> None:
    """Check the signature of the log's second key, where the trust input names one."""
    if trust is None or trust.second is None:
        return
    if not can_check(trust.second):
        report.untrusted(
            "trust",
            "names a second key of the log, which this version of cryptography cannot check; "
            "install a newer one that has ML-DSA",
        )
    elif trust.second not in cosigned(note, [trust.second]):
        report.incomplete(bag.CHECKPOINT, "lacks the ML-DSA-44 signature of the log's second key")


def check_entries(files: Files, head: Checkpoint | None, report: Report) -> list[Proven]:
    """Return the entries that read well, having checked all of them."""
    start = len(report.problems)
    proven: list[Proven] = []
    for number, line in enumerate(read_lines(files, bag.ENTRIES, report)):
        try:
            entry, opening = read_entry(parse_canonical(line))
        except EvidenceError as error:
            report.invalid(bag.ENTRIES, f"{_named(line, number)}: {error}")
            continue
        try:
            proven.append(replace(entry, opened=read_opening(entry.leaf, opening)))
        except EvidenceError as error:
            report.invalid(bag.ENTRIES, f"ledger entry {entry.index}: {error}")
            proven.append(entry)
    report.checked("leaves and openings", len(proven), start)

    start = len(report.problems)
    _check_sequence(proven, report)
    report.checked("sequence without gaps", len(proven), start)

    start = len(report.problems)
    if head is not None:
        _check_proofs(files, proven, head, report)
        report.checked("inclusion proofs", len(proven), start)

    start = len(report.problems)
    _check_timeline(files, proven, report)
    report.checked("timeline", len(proven), start)
    return proven


def read_lines(files: Files, path: str, report: Report) -> Iterable[bytes]:
    """Return the lines of a file; where it is missing or cut off, that is a problem."""
    try:
        data = files.read(path, MAX_LINES)
    except BundleError as error:
        report.incomplete(path, error)
        return ()
    if not data.endswith(b"\n"):
        report.invalid(path, "was cut off: its last line has no end")
        data += b"\n" if data else b""
    return bag.lines_of(data)


def _named(line: bytes, number: int) -> str:
    try:
        return f"ledger entry {int(parse_canonical(line)['index'])}"
    except (EvidenceError, KeyError, TypeError, ValueError):
        return f"line {number + 1}"


def read_entry(members: object) -> tuple[Proven, object]:
    """Return an entry of index, leaf and opening, and the opening as it stands.

    Raises:
        EvidenceError: when it is malformed.
    """
    if not isinstance(members, dict) or members.keys() != {"index", "leaf", "opening"}:
        raise BundleError("has not exactly index, leaf and opening")
    index, text, opening = members["index"], members["leaf"], members["opening"]
    if type(index) is not int or index < 0 or not isinstance(text, str):
        raise BundleError("has a malformed index or leaf")
    data = text.encode()
    leaf = read_leaf(data)
    return Proven(index, leaf, leaf_hash(data), None), opening


def read_opening(leaf: Leaf, opening: object) -> tuple[str, Mapping[str, Any]] | None:
    """Return actor and body that the leaf commits to; None where they were erased.

    Raises:
        EvidenceError: when the opening is malformed, or the leaf commits to another.
    """
    if opening is None:
        return None
    if not isinstance(opening, dict) or opening.keys() - {"values"} != {"actor", "body", "salt"}:
        raise BundleError("has an opening without exactly actor, body, salt, and values if any")
    actor, body, salt = opening["actor"], opening["body"], opening["salt"]
    if not (isinstance(actor, str) and isinstance(body, str) and isinstance(salt, str)):
        raise BundleError("has an opening that is not text")
    try:
        key = unhex(salt)
    except CanonicalError as error:
        raise BundleError("has a salt that is not hex") from error
    if body_commitment(key, body.encode()) != leaf.body:
        raise BundleError("its body is not the one the leaf commits to")
    if actor_commitment(key, actor) != leaf.actor:
        raise BundleError("its actor is not the one the leaf commits to")
    members = parse_canonical(body.encode())
    if not isinstance(members, dict):
        raise BundleError("has a body that is no object")
    return restored(actor, members, read_values(opening["values"]) if "values" in opening else ())


def _check_sequence(proven: list[Proven], report: Report) -> None:
    previous: Proven | None = None
    for number, entry in enumerate(proven):
        place = f"ledger entry {entry.index}"
        if entry.leaf.case_seq != number:
            report.invalid(
                bag.ENTRIES,
                f"{place}: is number {entry.leaf.case_seq} of its case where {number} was "
                "expected; entries were dropped, added or reordered",
            )
            return
        prev = previous.hash.hex() if previous else None
        if entry.leaf.prev != prev:
            report.invalid(bag.ENTRIES, f"{place}: does not follow from the entry before it")
        if previous and (entry.index <= previous.index or entry.leaf.case != previous.leaf.case):
            report.invalid(bag.ENTRIES, f"{place}: is out of order or of another case")
        previous = entry


def _check_proofs(files: Files, proven: list[Proven], head: Checkpoint, report: Report) -> None:
    paths: dict[int, list[bytes]] = {}
    for number, line in enumerate(read_lines(files, bag.PROOFS, report)):
        try:
            index, path = _read_proof(line)
        except EvidenceError as error:
            report.invalid(bag.PROOFS, f"line {number + 1}: {error}")
            continue
        if index in paths:
            report.invalid(bag.PROOFS, f"line {number + 1}: proves entry {index} again")
        paths[index] = path
    held = dict.fromkeys(entry.index for entry in proven)
    if [index for index in held if index in paths] != [index for index in paths if index in held]:
        report.invalid(bag.PROOFS, "its lines are not in the order of the entries")
    for entry in proven:
        if entry.index not in paths:
            report.incomplete(bag.PROOFS, f"ledger entry {entry.index}: has no inclusion proof")
            continue
        try:
            verify_inclusion(entry.hash, entry.index, head.size, paths[entry.index], head.root)
        except EvidenceError as error:
            report.invalid(bag.ENTRIES, f"ledger entry {entry.index}: {error}")
    for index in sorted(paths.keys() - held.keys()):
        report.invalid(bag.PROOFS, f"proves entry {index}, which the bundle does not hold")


def _read_proof(line: bytes) -> tuple[int, list[bytes]]:
    members = parse_canonical(line)
    if not isinstance(members, dict) or members.keys() != {"index", "path"}:
        raise BundleError("is no proof of exactly index and path")
    index, steps = members["index"], members["path"]
    if type(index) is not int or not isinstance(steps, list):
        raise BundleError("is no proof of index and path")
    path = [unhex(step) for step in steps]
    if any(len(step) != 32 for step in path):
        raise BundleError("is no proof of index and path: a step has not 32 bytes")
    return index, path


def _check_timeline(files: Files, proven: list[Proven], report: Report) -> None:
    if bag.TIMELINE not in files.sizes:
        report.incomplete(bag.TIMELINE, "is missing")
        return
    try:
        expected = canonical_form([moment(e.index, e.leaf, e.opened) for e in proven])
        if files.read(bag.TIMELINE, MAX_LINES) != expected:
            report.invalid(bag.TIMELINE, "is not what the ledger entries say")
    except EvidenceError as error:
        report.invalid(bag.TIMELINE, error)
