"""Checks that each manifest's facts stand once more, signed, in an in-toto statement."""

from evidence import bag, dsse
from evidence.errors import BundleError, EvidenceError
from evidence.statement import PAYLOAD_TYPE, statement_of
from evidence.strict_json import parse
from evidence.verify_artifacts import Manifests
from evidence.verify_entries import read_lines
from evidence.verify_files import Files
from evidence.verify_report import Report
from evidence.verify_trust import Trust


def check_statements(files: Files, trust: Trust | None, held: Manifests, report: Report) -> None:
    """Check that the statements are signed, and are those of the manifests, one each, in order.

    `held` are the manifests that hold.
    """
    start = len(report.problems)
    manifests = sorted(path for path in files.sizes if path.startswith(bag.MANIFESTS))
    if not manifests and bag.STATEMENTS not in files.sizes:
        return
    if bag.STATEMENTS not in files.sizes:
        report.incomplete(bag.STATEMENTS, "is missing")
        return
    lines = read_lines(files, bag.STATEMENTS, report)
    expected = {
        statement_of(_digest(path), payload, held.read[path].stored_sha256): path
        for path, payload in held.payloads.items()
    }
    # What is wrong with the others, or that their form is not known here, was said before.
    unknown = {_digest(path) for path in manifests if path not in held.payloads}
    keys = trust.manifest_keys if trust else None
    told: list[str] = []
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            payload = dsse.open_envelope(line, PAYLOAD_TYPE, keys)
            if payload not in expected and _manifest_of(payload) in unknown:
                continue
            if payload not in expected:
                raise BundleError("is not what a manifest of the bundle says")
            if told and expected[payload] <= told[-1]:
                raise BundleError("is not in the order of the manifests' names, or stands twice")
            told.append(expected[payload])
        except EvidenceError as error:
            report.invalid(bag.STATEMENTS, f"line {number}: {error}")
    if len(report.problems) == start:
        for path in sorted(set(expected.values()).difference(told)):
            report.incomplete(bag.STATEMENTS, f"has no statement of {path}")
    report.checked("in-toto statements", number, start)


def _digest(path: str) -> str:
    return path.removeprefix(bag.MANIFESTS).removesuffix(".jws")


def _manifest_of(payload: bytes) -> str | None:
    try:
        return str(parse(payload)["predicate"]["manifest_sha256"])
    except (EvidenceError, KeyError, TypeError):
        return None
