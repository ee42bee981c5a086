"""Checks a bundle offline, with nothing but the standard library and cryptography.

    verdict = verify_bundle(Path("bundle"), trust)
    verdict.exit_code   # 0 valid, 1 invalid, 2 incomplete, 3 lacks proof from outside, 4 no trust

Nothing in the bundle is executed, followed or fetched.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evidence.errors import BundleError
from evidence.verify_artifacts import check_artifacts, check_export, stated_withheld
from evidence.verify_custody import check_custody
from evidence.verify_dsse import check_statements
from evidence.verify_entries import Proven, check_checkpoint, check_entries
from evidence.verify_exports import check_later, recorded_exports
from evidence.verify_files import Files, Told, check_files, find_files, silent
from evidence.verify_heads import check_heads
from evidence.verify_keys import check_keys
from evidence.verify_proofs import check_proof_files
from evidence.verify_redaction import check_redactions
from evidence.verify_report import Check, Problem, Report, TooMuchError, Verdict
from evidence.verify_retold import check_retold
from evidence.verify_time import check_time
from evidence.verify_trust import Trust, read_trust
from evidence.verify_values import check_values
from evidence.verify_witnesses import check_witnesses

__all__ = ["Check", "Problem", "Verdict", "verify_bundle"]


def verify_bundle(
    path: Path,
    trust: Mapping[str, Any] | None,
    later: Path | None = None,
    told: Told = silent,
) -> Verdict:
    """Check the bundle in folder `path` against `trust`, the members of trust.json.

    Never raises for what the bundle holds: everything wrong is a problem in the verdict. Without
    trust, hashes, proofs and agreement are still checked and the exit code is 4 at best. A `later`
    bundle of the same case must go on from this one, and record that this one was exported.
    `told` hears, from any thread, how many bytes of how many have been hashed.
    """
    report, other = Report(), Report()
    try:
        files, proven = _check(path, trust, report, told)
        if later is not None:
            newer = _newer(later, trust, other, told)
            check_later(files, proven, newer, other.verdict(), report)
    except TooMuchError:
        pass
    return report.verdict()


def _newer(path: Path, trust: Mapping[str, Any] | None, report: Report, told: Told) -> list[Proven]:
    try:
        return _check(path, trust, report, told)[1]
    except TooMuchError:
        return []


def _check(
    path: Path, trust: Mapping[str, Any] | None, report: Report, told: Told
) -> tuple[Files, list[Proven]]:
    if not path.is_dir():
        report.incomplete(str(path), "is no folder; unpack the bundle and name its folder")
        return Files(path, {}), []
    trusted = _trusted(trust, report)
    files = find_files(path, report)
    listed = check_files(files, report, told)
    head = check_checkpoint(files, trusted, report)
    check_witnesses(files, trusted, report)
    proven = check_entries(files, head, report)
    check_proof_files(files, trusted, proven, report)
    check_heads(files, head, proven, report)
    check_time(files, trusted, head, proven, report)
    withheld = stated_withheld(files, trusted)
    gone = check_custody(proven, trusted, report)
    manifests = check_artifacts(
        files, listed, proven, trusted, gone.union(withheld.artifacts), report
    )
    check_redactions(files, proven, manifests.read, withheld, report)
    check_values(proven, withheld, report)
    check_statements(files, trusted, manifests, report)
    check_keys(files, trusted, head, proven, report)
    check_retold(files, proven, manifests.read, report)
    check_export(files, proven, head, trusted, report)
    report.exports = recorded_exports(proven)
    return files, proven


def _trusted(trust: Mapping[str, Any] | None, report: Report) -> Trust | None:
    if trust is None:
        report.untrusted("trust", "not given, so no signature was checked; pass --trust trust.json")
        return None
    try:
        return read_trust(trust)
    except BundleError as error:
        report.untrusted("trust", error)
        return None
