"""One bundle and the trust input in, one verdict out."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.evidence.second.artifacts import MANIFESTS, STATEMENTS, check_artifacts
from tests.evidence.second.custody import SIGNATURES, check_custody, erased_values
from tests.evidence.second.entries import Entry, check_entries, check_proofs, check_timeline
from tests.evidence.second.findings import Findings, WrongError, need
from tests.evidence.second.folder import EXPORT, TAG_MANIFEST, check_bag, find_files, get
from tests.evidence.second.head import Head, check_head, holds, leaf_hash, parse_head
from tests.evidence.second.heads import check_heads
from tests.evidence.second.keys import ALWAYS, check_entry, check_seen
from tests.evidence.second.policy import parse_policy
from tests.evidence.second.redaction import Withheld, check_redactions, read_withheld
from tests.evidence.second.signatures import kid_of, read_jws
from tests.evidence.second.texts import check_schema, lines, members
from tests.evidence.second.trust import Trust, parse_jwk_point, parse_trust
from tests.evidence.second.values import all_hidden

CHECKPOINT, ENTRIES = "data/custody/checkpoint", "data/custody/entries.jsonl"
WITHHOLDING = "urn:stanch:export:2"
HEADS = "data/custody/heads.jsonl"
POLICY = "data/custody/policy"
TIMELINE = "data/case/timeline.json"


def verify(bundle: Path, given: Mapping[str, Any] | None) -> Findings:
    """Return what is wrong with a bundle, what it lacks, and with them the exit code."""
    to = Findings()
    trust: Trust | None = None
    try:
        trust = parse_trust(given)
    except ValueError as error:
        to.no_trust.append(str(error))
    files = find_files(bundle, to)
    info = check_bag(files, to)
    head: Head | None = None
    entries: list[Entry] = []
    withheld = Withheld()
    with to.about(CHECKPOINT):
        head = parse_head(get(files, CHECKPOINT))
        if trust is not None:
            to.witnessed = check_head(head, trust)
    with to.about(POLICY):
        parse_policy(files.get(POLICY, b"quorum none\n").decode("utf-8"))
    with to.about(ENTRIES):
        entries = check_entries(get(files, ENTRIES))
    if head is not None and entries:
        check_proofs(files, head, entries, trust, to)
        if HEADS in files:
            with to.about(HEADS):
                to.complete = check_heads(files[HEADS], head, entries)
        with to.about(EXPORT):
            withheld = check_export(files, head, entries, info, trust)
    if entries:
        with to.about(TIMELINE):
            check_timeline(get(files, TIMELINE), entries)
        gone = check_custody(entries, trust, to) | set(withheld.artifacts)
        manifests = check_artifacts(files, entries, gone, trust, to)
        check_redactions(files, entries, manifests, withheld, trust, to)
        check_values(entries, withheld, erased_values(entries, trust), to)
        if trust is not None and head is not None:
            check_keys(files, entries, head, trust, to)
    return to


def check_values(entries: list[Entry], withheld: Withheld, erased: set[str], to: Findings) -> None:
    """Check that of each value that is not open somebody says why."""
    for entry in (entry for entry in entries if entry.body is not None):
        covering = {"*", entry.leaf["kind"]} & set(withheld.values)
        for place, found in all_hidden(entry.actor or "", entry.body).items():
            if not covering and place not in withheld.values and found not in erased:
                to.lacking.append(f"entry {entry.index}: nothing opens {place}")


# What is malformed was found before: these look only at what is well formed.
MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError)


def locker_keys(body: Any) -> list[Any]:
    try:
        mine = [one["jwk"] for one in body["signatures"] if one["name"] == "stanch"]
        return [parse_jwk_point(jwk).public_numbers() for jwk in mine]
    except MALFORMED:
        return []


def export_keys(files: dict[str, bytes]) -> list[str]:
    try:
        return [kid_of(files[EXPORT])]
    except MALFORMED:
        return []


def statement_keys(files: dict[str, bytes]) -> list[str]:
    try:
        return [str(one["signatures"][0]["keyid"]) for one in lines(files[STATEMENTS])]
    except MALFORMED:
        return []


def check_keys(
    files: dict[str, bytes], entries: list[Entry], head: Head, trust: Trust, to: Findings
) -> None:
    """Check that each key counts for the place in the ledger of what it signed."""
    with suppress(WrongError):  # which was said of the checkpoint before
        signers = [trust.logs[one] for one in trust.counting(head.size) if holds(head, one)]
        if signers and all(one.revoked for one in signers):
            with to.about(CHECKPOINT):
                check_seen(signers[0], entries[-1].index, to.witnessed)
    kids = {key.public_numbers(): kid for kid, key in trust.manifest_keys.items()}
    seen: set[str] = set()
    for entry in (entry for entry in entries if entry.body is not None):
        with to.about(f"entry {entry.index}"):
            name = f"{MANIFESTS}{entry.body.get('manifest_sha256')}.jws"
            if entry.leaf["kind"] == "artifact.stored" and name in files and name not in seen:
                seen.add(name)
                check_entry(trust.bounds, kid_of(files[name]), entry.index, to.witnessed)
            if entry.leaf["kind"] in SIGNATURES:
                for made in locker_keys(entry.body):
                    if made in kids:
                        check_entry(trust.bounds, kids[made], entry.index, to.witnessed)
    for name, used in ((EXPORT, export_keys(files)), (STATEMENTS, statement_keys(files))):
        with to.about(name):
            for kid in used:
                counts = trust.bounds.get(kid, ALWAYS).may_state(head.size)
                need(counts, f"the key {kid} does not count for a head of this size")


def check_export(
    files: dict[str, bytes],
    head: Head,
    entries: list[Entry],
    info: dict[str, str],
    trust: Trust | None,
) -> Withheld:
    """Check that the statement about the export is about this bundle; return what it withholds."""
    names = {"schema", "case", "case_id", "last_leaf", "origin", "checkpoint_sha256"}
    kinds = {**dict.fromkeys(names, str), "tagmanifest_sha256": str}
    made = read_jws(get(files, EXPORT), "evidence-export+jws", trust)
    log = info.get("Internal-Sender-Identifier", head.origin)
    need(log == head.origin, "bag-info.txt names another log")
    withheld = Withheld()
    if isinstance(made, dict) and made.get("schema") == WITHHOLDING:
        withheld = read_withheld(made.pop("withheld", None))
        made["schema"] = "urn:stanch:export:1"
    check_schema(made, "urn:stanch:export:1")
    stated = members(
        made,
        entries=int,
        checkpoint_size=int,
        **kinds,
    )
    found = {
        "schema": stated["schema"],
        "case": entries[0].leaf["case"],
        "case_id": info.get("External-Identifier", stated["case_id"]),
        "entries": len(entries),
        "last_leaf": leaf_hash(entries[-1].data).hex(),
        "origin": head.origin,
        "checkpoint_size": head.size,
        "checkpoint_sha256": hashlib.sha256(files[CHECKPOINT]).hexdigest(),
        "tagmanifest_sha256": hashlib.sha256(get(files, TAG_MANIFEST)).hexdigest(),
    }
    for name, value in found.items():
        need(stated[name] == value, f"states another {name} than the bundle has")
    return withheld
