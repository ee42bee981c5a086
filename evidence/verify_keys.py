"""Judges each signature by its place in the ledger: a key counts only for what it was in use for.

A stolen key signs whatever its thief wants, and claims any time for it. It cannot take a place in
a ledger whose head another key signed. So what counts is the index of the entry that names a
manifest, and the size of the head that is signed or stated, against the bounds in the trust input.
What a revoked key signed must besides have been seen from outside in time: by witnesses, who take
no second history, or by timestamps.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from evidence import bag
from evidence.case_facts import ARTIFACT_STORED
from evidence.custody.state import LOCKER
from evidence.custody.statement import SIGNERS
from evidence.dsse import MAX_ENVELOPE
from evidence.errors import BundleError, EvidenceError
from evidence.jws_token import MAX_TOKEN, key_from_jwk, take_apart
from evidence.key_history import UNBOUNDED, Bounds
from evidence.manifest import TYP
from evidence.note import Checkpoint
from evidence.strict_json import parse_canonical
from evidence.verify_entries import MAX_LINES, MAX_NOTE, Proven
from evidence.verify_files import Files
from evidence.verify_head import signers
from evidence.verify_report import Report
from evidence.verify_trust import Trust


def check_keys(
    files: Files, trust: Trust | None, head: Checkpoint | None, proven: list[Proven], report: Report
) -> None:
    """Check every signature's key against its bounds, where the trust input has any.

    Whether the signatures hold, whether the head is witnessed, and what timestamps say of each
    entry, was found before. A signature that is malformed was reported.
    """
    if trust is None or head is None or not (trust.bounds or len(trust.logs) > 1):
        return
    start = len(report.problems)
    seen = _Seen(report)
    _check_head(files, trust, head, proven, seen)
    count = _check_manifests(files, trust, proven, seen)
    count += _check_lockers(trust, proven, seen)
    count += _check_statements(files, trust, head, report)
    report.checked("keys at their place in the ledger", count + 1, start)


class _Seen:
    """What somebody outside saw, and by when."""

    def __init__(self, report: Report) -> None:
        self.report = report
        times = [(one.index, one.not_after) for one in report.times if one.not_after]
        self._by = {index: datetime.fromisoformat(time) for index, time in times}

    def refuse_late(self, path: str, what: str, index: int, bounds: Bounds) -> None:
        """Report what a revoked key signed and nobody saw in time, up to the entry at `index`."""
        if bounds.anchored_by is None or self.report.witnessed:
            return
        by = self._by.get(index)
        limit = bounds.anchored_by.isoformat()
        if by is None:
            self.report.incomplete(
                path,
                f"{what} was revoked, and nothing from outside shows that ledger entry {index} "
                f"stood there by {limit}: neither a quorum of witnesses nor timestamps",
            )
        elif by > bounds.anchored_by:
            self.report.invalid(
                path,
                f"{what} was revoked, and timestamps show ledger entry {index} only by "
                f"{by.isoformat()}; expected by {limit}",
            )


def _check_head(
    files: Files, trust: Trust, head: Checkpoint, proven: list[Proven], seen: _Seen
) -> None:
    note = files.read(bag.CHECKPOINT, MAX_NOTE).decode()
    signed = [trust.logs[one] for one in signers(note, trust.logs)]
    counting = [bounds for bounds in signed if bounds.head(head.size)]
    # Where a key signed, too, that nobody stole, there is nothing to fear.
    if proven and counting and all(bounds.anchored_by for bounds in counting):
        seen.refuse_late(bag.CHECKPOINT, "the log key", proven[-1].index, counting[0])


def _check_manifests(files: Files, trust: Trust, proven: list[Proven], seen: _Seen) -> int:
    """Check each manifest by the first entry that names it; return how many there are."""
    first: dict[str, int] = {}
    for entry in proven:
        if entry.leaf.kind == ARTIFACT_STORED and entry.opened is not None:
            digest = entry.opened[1].get("manifest_sha256")
            first.setdefault(f"{bag.MANIFESTS}{digest}.jws", entry.index)
    for path, index in first.items():
        kid = _kid(files, path, TYP)
        bounds = trust.bounds.get(kid or "", UNBOUNDED)
        if not bounds.entry(index):
            seen.report.invalid(
                path,
                f"is signed by the key {kid!r}, which counts for {bounds} of the ledger; "
                f"the entry that names it has index {index}",
            )
        else:
            seen.refuse_late(path, f"the key {kid!r}", index, bounds)
    return len(first)


def _check_lockers(trust: Trust, proven: list[Proven], seen: _Seen) -> int:
    """Check what the locker signed about custody; it does so with the manifest key."""
    kids = {key.public_numbers(): kid for kid, key in trust.manifest_keys.items()}
    count = 0
    for entry in proven:
        if entry.leaf.kind not in SIGNERS or entry.opened is None:
            continue
        for kid in _locker_kids(entry.opened[1], kids):
            count += 1
            bounds, place = trust.bounds.get(kid, UNBOUNDED), f"ledger entry {entry.index}"
            if not bounds.entry(entry.index):
                seen.report.invalid(
                    bag.ENTRIES,
                    f"{place}: the locker signed with the key {kid!r}, which counts for {bounds} "
                    "of the ledger",
                )
            else:
                seen.refuse_late(bag.ENTRIES, f"{place}: the key {kid!r}", entry.index, bounds)
    return count


def _locker_kids(body: Mapping[str, Any], kids: Mapping[Any, str]) -> list[str]:
    """Return which manifest keys a statement is signed with in the locker's name."""
    try:
        made = [key_from_jwk(one["jwk"]) for one in body["signatures"] if one["name"] == LOCKER]
    except (KeyError, TypeError, AttributeError, EvidenceError):
        # What is malformed was reported with the custody.
        return []
    return [kids[key.public_numbers()] for key in made if key.public_numbers() in kids]


def _check_statements(files: Files, trust: Trust, head: Checkpoint, report: Report) -> int:
    """Check the export's own signatures, which are made over what the head holds."""
    signed = [(bag.EXPORT, _kid(files, bag.EXPORT, bag.EXPORT_TYP))]
    signed += [(bag.STATEMENTS, kid) for kid in _envelopes(files)]
    for path, kid in dict.fromkeys(signed):
        bounds = trust.bounds.get(kid or "", UNBOUNDED)
        if not bounds.over(head.size):
            report.invalid(
                path,
                f"is signed by the key {kid!r}, which counts for {bounds} of the ledger; "
                f"the head it states is of size {head.size}",
            )
    return len(signed)


def _kid(files: Files, path: str, typ: str) -> str | None:
    try:
        return take_apart(files.read(path, MAX_TOKEN).decode("ascii"), typ).kid
    except (EvidenceError, UnicodeDecodeError):
        return None


def _envelopes(files: Files) -> list[str]:
    try:
        lines = files.read(bag.STATEMENTS, MAX_LINES).removesuffix(b"\n").split(b"\n")
        found = [parse_canonical(line, max_bytes=MAX_ENVELOPE) for line in lines]
        return [str(one["signatures"][0]["keyid"]) for one in found]
    except (BundleError, EvidenceError, LookupError, TypeError):
        return []
