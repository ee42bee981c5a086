"""What a bundle tells again of its own entries and manifests, for other programs and for people.

data/custody/statements.dsse.jsonl    each manifest as an in-toto statement in a DSSE envelope
data/case/case.jsonld                 the case as a CASE/UCO graph
report.html                           the case for a person to read
"""

from collections.abc import Iterable
from pathlib import Path

from evidence import bag, dsse
from evidence.case_facts import manifest_payload, read_facts
from evidence.errors import BundleError
from evidence.keys import ManifestKey
from evidence.ledger import Recorded
from evidence.statement import PAYLOAD_TYPE, statement
from evidence.verify_entries import Proven
from evidence.verify_files import Files, find_files
from evidence.verify_report import Report
from evidence.verify_retold import retold


def retold_files(
    out: Path, case: str, recorded: Iterable[Recorded], signer: ManifestKey
) -> dict[str, bytes]:
    """Return path -> bytes, read from the payload that was already written into `out`.

    Raises:
        BundleError: when something in `out` is no plain file, or a manifest is missing.
        EvidenceError: when a manifest or the head is malformed, or the key cannot sign.
    """
    report = Report()
    files = find_files(out, report)
    if report.problems:
        raise BundleError(f"{report.problems[0].file} {report.problems[0].what}")
    facts = read_facts(files, case, tuple(_proven(entry) for entry in recorded))
    told = retold(facts)
    if facts.manifests:
        told[bag.STATEMENTS] = _statements(files, signer)
    return told


def _statements(files: Files, signer: ManifestKey) -> bytes:
    paths = sorted(path for path in files.sizes if path.startswith(bag.MANIFESTS))
    lines = []
    for path in paths:
        digest = path.removeprefix(bag.MANIFESTS).removesuffix(".jws")
        said = statement(digest, manifest_payload(files, digest))
        lines.append(dsse.sign(said, PAYLOAD_TYPE, signer.key, signer.kid) + b"\n")
    return b"".join(lines)


def _proven(entry: Recorded) -> Proven:
    opened = None if entry.opening is None else (entry.opening.actor, entry.body)
    return Proven(entry.index or 0, entry.leaf, entry.leaf_hash, opened)
