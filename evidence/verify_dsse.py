"""Checks that each manifest's facts stand once more, signed, in an in-toto statement."""

from evidence import bag, dsse
from evidence.case_facts import manifest_payload
from evidence.errors import BundleError, EvidenceError
from evidence.statement import PAYLOAD_TYPE, statement
from evidence.verify_entries import read_lines
from evidence.verify_files import Files
from evidence.verify_report import Report
from evidence.verify_trust import Trust


def check_statements(files: Files, trust: Trust | None, report: Report) -> None:
    """Check that the statements are signed, and are those of the manifests, one each, in order.

    Whether the manifests themselves are signed was checked with the artifacts.
    """
    start = len(report.problems)
    manifests = sorted(path for path in files.sizes if path.startswith(bag.MANIFESTS))
    if not manifests and bag.STATEMENTS not in files.sizes:
        return
    if bag.STATEMENTS not in files.sizes:
        report.incomplete(bag.STATEMENTS, "is missing")
        return
    lines = read_lines(files, bag.STATEMENTS, report)
    if len(lines) != len(manifests):
        # Which of them belong together cannot be said, so nothing more is.
        report.invalid(bag.STATEMENTS, f"has {len(lines)} statements of {len(manifests)} manifests")
        return
    keys = trust.manifest_keys if trust else None
    for number, (line, path) in enumerate(zip(lines, manifests, strict=True), 1):
        try:
            payload = dsse.open_envelope(line, PAYLOAD_TYPE, keys)
            digest = path.removeprefix(bag.MANIFESTS).removesuffix(".jws")
            if payload != statement(digest, manifest_payload(files, digest)):
                raise BundleError(f"is not what {path} says")
        except EvidenceError as error:
            report.invalid(bag.STATEMENTS, f"line {number}: {error}")
    report.checked("in-toto statements", len(lines), start)
