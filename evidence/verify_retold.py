"""Checks that what a bundle tells again, for people and for other programs, follows from the rest.

Each such file is made again from the entries, manifests and head, and compared byte by byte.
"""

from collections.abc import Callable, Mapping

from evidence import bag, case_graph, case_page
from evidence.case_facts import Facts, case_id_of, read_facts
from evidence.errors import BundleError, EvidenceError
from evidence.manifest import Manifest
from evidence.verify_entries import MAX_LINES, Proven
from evidence.verify_files import Files
from evidence.verify_report import Report

# Path -> the form it is written in, which stands in it, and what makes it. A newer form is no
# forgery, only none that this verifier can judge.
RETOLD: Mapping[str, tuple[str, Callable[[Facts], bytes]]] = {
    bag.CASE: (case_graph.FORM, case_graph.case_graph),
    bag.REPORT: (case_page.FORM, case_page.case_page),
}


def retold(facts: Facts) -> dict[str, bytes]:
    """Return path -> bytes of all that is told again of these facts.

    Raises:
        EvidenceError: when the facts are malformed.
    """
    return {path: make(facts) for path, (_, make) in RETOLD.items()}


def check_retold(
    files: Files, proven: list[Proven], manifests: Mapping[str, Manifest], report: Report
) -> None:
    """Check each such file; that the page is missing was reported with the files.

    `manifests` is path -> manifest, of those that hold.
    """
    start = len(report.problems)
    if bag.CASE not in files.sizes:
        report.incomplete(bag.CASE, "is missing")
    present = [path for path in RETOLD if path in files.sizes]
    if not present or not proven:
        return
    try:
        facts = read_facts(files, case_id_of(files), tuple(proven), manifests)
    except EvidenceError as error:
        for path in present:
            report.incomplete(path, f"cannot be compared with the rest: {error}")
        return
    for path in present:
        _compare(path, files, facts, report)
    report.checked("report and graph follow from the entries", len(present), start)


def _compare(path: str, files: Files, facts: Facts, report: Report) -> None:
    form, make = RETOLD[path]
    try:
        found, expected = files.read(path, MAX_LINES), make(facts)
    except BundleError as error:
        report.invalid(path, error)
    except EvidenceError as error:
        report.incomplete(path, f"cannot be compared with the rest: {error}")
    else:
        if found != expected and form.encode() not in found:
            report.incomplete(path, f"is not in the form {form}, the only one known here")
        elif found != expected:
            report.invalid(path, "is not what ledger entries, manifests and checkpoint say")
