"""Tells which exports of the case the ledger records, and whether a later bundle bears one out.

An export is recorded only after its bundle was written, so a bundle never holds its own record: a
later bundle of the same case does. Whoever has both can tell that the earlier one was exported as
it is, and that no history was rewritten in between.
"""

import hashlib
import re

from evidence import bag
from evidence.errors import BundleError
from evidence.verify_entries import Proven
from evidence.verify_files import MAX_TAG_FILE, Files
from evidence.verify_report import Exit, Export, Report, Verdict

EXPORT = "export"

_SHA256 = re.compile(r"[0-9a-f]{64}")


def recorded_exports(proven: list[Proven]) -> list[Export]:
    """Return the exports that the entries record; one that says something else is none."""
    found = []
    for entry in proven:
        if entry.leaf.kind != EXPORT or entry.opened is None:
            continue
        body = entry.opened[1]
        digest, count = body.get("tagmanifest_sha256"), body.get("entries")
        if isinstance(digest, str) and _SHA256.fullmatch(digest) and type(count) is int:
            found.append(Export(entry.index, entry.leaf.record_time, count, digest))
    return found


def check_later(
    files: Files, proven: list[Proven], later: list[Proven], verdict: Verdict, report: Report
) -> None:
    """Check this bundle against a later one of its case: its entries `later`, and its verdict.

    Sets `report.recorded_at` to the index of the entry that records this bundle's export.
    """
    start = len(report.problems)
    if verdict.exit_code in (Exit.INVALID, Exit.INCOMPLETE):
        report.incomplete("later bundle", f"is itself {verdict.status}: verify it alone to see why")
        return
    mine = [(entry.index, entry.leaf.case, entry.hash) for entry in proven]
    other = [(entry.index, entry.leaf.case, entry.hash) for entry in later]
    if mine and other and mine[0][1] != other[0][1]:
        report.incomplete("later bundle", "is of another case")
    elif other[: len(mine)] != mine:
        report.invalid(
            bag.ENTRIES, "are not the beginning of the later bundle's: one history was rewritten"
        )
    else:
        _find(files, len(proven), verdict, report)
    report.checked("later bundle agrees", len(later), start)


def _find(files: Files, count: int, verdict: Verdict, report: Report) -> None:
    try:
        digest = hashlib.sha256(files.read(bag.TAG_MANIFEST, MAX_TAG_FILE)).hexdigest()
    except BundleError:
        return
    for one in verdict.exports:
        if one.tagmanifest_sha256 == digest and one.entries == count:
            report.recorded_at = one.index
            return
    report.incomplete(
        bag.TAG_MANIFEST, "no entry of the later bundle records that this bundle was exported"
    )
