"""Checks that a bundle holds all the entries of its case: the ledger itself counts them.

An entry of kind `heads` states the last entry of every case at one moment. Whoever leaves entries
out at the end of a bundle and seals it anew, with the operator's own key, contradicts it.
"""

from dataclasses import dataclass

from evidence import bag
from evidence.errors import BundleError, EvidenceError
from evidence.heads import KIND, Count, Head, check_head, read_count, read_hash, read_head
from evidence.merkle import verify_inclusion
from evidence.note import Checkpoint
from evidence.strict_json import parse_canonical
from evidence.verify_entries import Proven, read_entry, read_opening
from evidence.verify_files import Files
from evidence.verify_report import Counted, Report

MAX_HEADS = 1 << 18


@dataclass(frozen=True, slots=True)
class Stated:
    """What the bundle's `heads` entry states: of the ledger, and of this case."""

    entry: Proven
    path: list[bytes]
    count: Count
    head: Head

    @property
    def entries(self) -> int:
        """How many entries the case had."""
        return self.head.case_seq + 1


def check_heads(
    files: Files, head: Checkpoint | None, proven: list[Proven], report: Report
) -> None:
    """Set `report.counted`, and `report.complete` where no more entries of the case can be."""
    if bag.HEADS not in files.sizes:
        return
    start = len(report.problems)
    try:
        stated = read_stated(files)
        if head is not None:
            entry = stated.entry
            verify_inclusion(entry.hash, entry.index, head.size, stated.path, head.root)
    except EvidenceError as error:
        report.invalid(bag.HEADS, error)
        return
    _compare(stated, proven, report)
    report.checked("entries as the ledger counts them", stated.entries, start)
    if len(report.problems) == start and head is not None and proven:
        _judge(stated, head, proven, report)


def read_stated(files: Files) -> Stated:
    """Return what data/custody/heads.jsonl states, the case's head checked against the entry.

    Raises:
        EvidenceError: when it is malformed, erased, or the head is not among those stated.
    """
    data = files.read(bag.HEADS, MAX_HEADS)
    members = parse_canonical(data.removesuffix(b"\n"))
    named = {"entry", "head", "head_path", "path", "place"}
    if not data.endswith(b"\n") or not isinstance(members, dict) or members.keys() != named:
        raise BundleError("is not one line of exactly entry, path, head, place and head_path")
    entry, opening = read_entry(members["entry"])
    opened = read_opening(entry.leaf, opening)
    if entry.leaf.kind != KIND or opened is None:
        raise BundleError(f"holds no open entry of kind {KIND}")
    count, head, place = read_count(opened[1]), read_head(members["head"]), members["place"]
    if type(place) is not int:
        raise BundleError("has a malformed place")
    if count.entries > entry.index:
        raise BundleError("counts entries that come after it")
    check_head(head, place, _path(members["head_path"]), count)
    return Stated(entry, _path(members["path"]), count, head)


def _path(steps: object) -> list[bytes]:
    if not isinstance(steps, list):
        raise BundleError("has a malformed path")
    return [read_hash(step) for step in steps]


def _compare(stated: Stated, proven: list[Proven], report: Report) -> None:
    """Compare the case's head with the entries, which were found to be in sequence before."""
    if not proven:
        return
    counted = f"entry {stated.entry.index} of the ledger counts {stated.entries} entries"
    if stated.head.case != proven[0].leaf.case:
        report.invalid(bag.HEADS, "states the head of another case")
        return
    if stated.entries > len(proven):
        report.invalid(
            bag.ENTRIES,
            f"{counted} of the case; the bundle has {len(proven)}: entries at the end of the case "
            "were left out",
        )
        return
    last, later = proven[stated.entries - 1], proven[stated.entries :]
    if last.hash != stated.head.leaf or last.index >= stated.count.entries:
        report.invalid(bag.ENTRIES, f"{counted} of the case, and another one as its last")
    elif later and later[0].index < stated.count.entries:
        report.invalid(
            bag.HEADS,
            f"{counted} of the case among the first {stated.count.entries} of the ledger, but "
            f"entry {later[0].index} is one more",
        )


def _judge(stated: Stated, head: Checkpoint, proven: list[Proven], report: Report) -> None:
    report.counted = Counted(
        stated.entry.index, stated.entry.leaf.record_time, stated.entries, stated.count.entries
    )
    # Whatever stands in the ledger after what was counted, and is not shown, may be of the case.
    first = stated.count.entries
    shown = {entry.index for entry in proven} | {stated.entry.index}
    hidden = head.size - first - sum(1 for index in shown if index >= first)
    report.complete = not hidden
    report.why_open_ended = (
        f"open-ended: the case is complete as of the ledger's first {first} entries; what {hidden} "
        "later ones hold is not shown. Export it anew"
    )
