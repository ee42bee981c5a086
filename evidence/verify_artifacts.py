"""Checks that artifacts, manifests, ledger entries and the export statement name each other."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence import bag, jws_offline
from evidence.case_facts import ARTIFACT_STORED, case_id_of
from evidence.errors import BundleError, CanonicalError, EvidenceError, ManifestError, TokenError
from evidence.jws_token import MAX_TOKEN, take_apart
from evidence.manifest import SCHEMA, TYP, Manifest, read_manifest, target_commitment
from evidence.note import Checkpoint
from evidence.strict_json import parse_canonical, unhex
from evidence.verify_entries import Proven
from evidence.verify_files import MAX_INFO, MAX_TAG_FILE, Files
from evidence.verify_report import Report
from evidence.verify_trust import Trust
from evidence.withheld import SCHEMA as WITHHOLDING
from evidence.withheld import Withheld, read_withheld


@dataclass(frozen=True, slots=True)
class Manifests:
    """The manifests of a bundle that hold, by path: as read, and the bytes that were signed."""

    read: dict[str, Manifest]
    payloads: dict[str, bytes]


def check_export(
    files: Files, proven: list[Proven], head: Checkpoint | None, trust: Trust | None, report: Report
) -> None:
    """Check that the export statement is signed and says what this bundle holds.

    What is missing was reported with the files.
    """
    if not {bag.EXPORT, bag.CHECKPOINT, bag.TAG_MANIFEST, bag.INFO} <= files.sizes.keys():
        return
    start = len(report.problems)
    try:
        payload = _payload(files.read(bag.EXPORT, MAX_TOKEN), trust, bag.EXPORT_TYP)
        withheld = read_withheld(payload)
        later = None if withheld else _later_schema(payload, bag.EXPORT_SCHEMA)
        found = _holds(files, proven, head)
        if withheld:
            found |= {"schema": WITHHOLDING, "withheld": withheld.members()}
        if later:
            report.incomplete(bag.EXPORT, f"is in the form {later}, which is not known here")
        else:
            _compare(parse_canonical(payload), found, report)
        _compare_log(files, head, report)
    except EvidenceError as error:
        report.invalid(bag.EXPORT, error)
    report.checked("export statement", 1, start)


def check_artifacts(
    files: Files,
    listed: Mapping[str, str],
    proven: list[Proven],
    trust: Trust | None,
    gone: frozenset[str],
    report: Report,
) -> Manifests:
    """Check every manifest against the entry that names it and the artifact it names.

    `listed` is path -> SHA-256 of the payload, as `check_files` compared it. What is `gone`, by
    the SHA-256 of the stored file, may be missing. Returns the manifests that hold.
    """
    start = len(report.problems)
    found, unknown = _manifests(files, trust, report)
    manifests = found.read
    report.checked("manifests", len(manifests), start)

    start = len(report.problems)
    named: set[str] = set()
    for entry in proven:
        if entry.leaf.kind != ARTIFACT_STORED:
            continue
        place = f"ledger entry {entry.index}"
        if entry.opened is None:
            report.incomplete(bag.ENTRIES, f"{place}: its body is not open, so no manifest fits it")
            continue
        body = entry.opened[1]
        digest = str(body.get("manifest_sha256"))
        path = f"{bag.MANIFESTS}{digest}.jws"
        named.add(path)
        if path in manifests:
            _check_agreement(place, path, body, manifests[path], entry.leaf.case, report)
        elif path not in files.sizes:
            report.incomplete(path, f"is named by {place} but missing")
    for path in sorted(manifests.keys() - named):
        report.invalid(path, "is a manifest that no ledger entry names")
    report.checked("manifests and ledger entries", len(named), start)

    start = len(report.problems)
    held = {path for path in files.sizes if path.startswith(bag.ARTIFACTS)}
    wanted = _check_held(manifests, files, listed, gone, report)
    # What a manifest in a later form names, cannot be said here.
    for path in sorted(held - wanted) if not unknown else ():
        report.invalid(path, "is an artifact that no manifest names")
    report.checked("artifacts and manifests", len(wanted), start)
    return found


def stated_withheld(files: Files, trust: Trust | None) -> Withheld:
    """Return what the export leaves out; one that is malformed is left to `check_export`."""
    try:
        stated = _payload(files.read(bag.EXPORT, MAX_TOKEN), trust, bag.EXPORT_TYP)
        return read_withheld(stated) or Withheld()
    except EvidenceError:
        return Withheld()


def _payload(data: bytes, trust: Trust | None, typ: str) -> bytes:
    try:
        token = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise TokenError("token is not ASCII") from error
    if trust is None:
        return take_apart(token, typ).payload
    return jws_offline.verify(token, trust.manifest_keys, typ)


def _holds(files: Files, proven: list[Proven], head: Checkpoint | None) -> dict[str, Any]:
    def sha256(path: str) -> str:
        return hashlib.sha256(files.read(path, MAX_TAG_FILE)).hexdigest()

    last = proven[-1] if proven else None
    return {
        "schema": bag.EXPORT_SCHEMA,
        "case": last and last.leaf.case,
        "case_id": case_id_of(files),
        "entries": len(proven),
        "last_leaf": last and last.hash.hex(),
        "origin": head and head.origin,
        "checkpoint_size": head and head.size,
        "checkpoint_sha256": sha256(bag.CHECKPOINT),
        "tagmanifest_sha256": sha256(bag.TAG_MANIFEST),
    }


def _compare_log(files: Files, head: Checkpoint | None, report: Report) -> None:
    named = bag.read_info(files.read(bag.INFO, MAX_INFO)).origin
    if head is not None and named != head.origin:
        report.invalid(bag.INFO, f"names the log {named!r}; the checkpoint is of {head.origin!r}")


def _later_schema(payload: bytes, known: str) -> str | None:
    """Return the schema that a payload names, when it is another than the one known here."""
    try:
        members = parse_canonical(payload)
    except CanonicalError:
        return None
    schema = members.get("schema") if isinstance(members, dict) else None
    return schema if isinstance(schema, str) and schema != known else None


def _compare(stated: object, found: dict[str, Any], report: Report) -> None:
    if not isinstance(stated, dict) or stated.keys() != found.keys():
        report.invalid(bag.EXPORT, f"has not exactly the members of {bag.EXPORT_SCHEMA}")
        return
    for name, value in found.items():
        if stated[name] != value:
            report.invalid(bag.EXPORT, f"states {name} {stated[name]!r}; the bundle has {value!r}")


def _manifests(files: Files, trust: Trust | None, report: Report) -> tuple[Manifests, set[str]]:
    """Return those that hold, and the paths of those in a form that is not known here."""
    found = Manifests({}, {})
    unknown: set[str] = set()
    for path in sorted(path for path in files.sizes if path.startswith(bag.MANIFESTS)):
        try:
            data = files.read(path, MAX_TOKEN)
            if path != f"{bag.MANIFESTS}{hashlib.sha256(data).hexdigest()}.jws":
                raise BundleError("its name is not its SHA-256; another manifest was put here")
            payload = _payload(data, trust, TYP)
            found.read[path] = read_manifest(payload)
            found.payloads[path] = payload
        except ManifestError as error:
            if later := _later_schema(payload, SCHEMA):
                report.incomplete(path, f"is in the form {later}, which is not known here")
                unknown.add(path)
            else:
                report.invalid(path, error)
        except EvidenceError as error:
            report.invalid(path, error)
    return found, unknown


def _check_agreement(
    place: str,
    path: str,
    body: Mapping[str, Any],
    manifest: Manifest,
    case: str,
    report: Report,
) -> None:
    agreed = {
        "artifact_id": manifest.artifact_id,
        "name": manifest.name,
        "source": manifest.source,
        "call": manifest.call,
        "sensitive": manifest.sensitive,
        "size": str(manifest.plain_size),
        "stored_sha256": manifest.stored_sha256,
    }
    wrong = [
        name
        for name, value in agreed.items()
        if type(body.get(name)) is not type(value) or body[name] != value
    ]
    if manifest.case != case:
        wrong.append("case")
    try:
        salt, target = unhex(body.get("target_salt")), body.get("target")
        if not isinstance(target, str) or target_commitment(salt, target) != manifest.target:
            wrong.append("target")
    except CanonicalError:
        wrong.append("target")
    if wrong:
        report.invalid(path, f"does not agree with {place} on {', '.join(wrong)}")


def _check_held(
    manifests: Mapping[str, Manifest],
    files: Files,
    listed: Mapping[str, str],
    gone: frozenset[str],
    report: Report,
) -> set[str]:
    wanted: set[str] = set()
    for path, manifest in manifests.items():
        artifact = f"{bag.ARTIFACTS}{manifest.stored_sha256}"
        wanted.add(artifact)
        if artifact not in files.sizes:
            if manifest.stored_sha256 not in gone:
                report.incomplete(artifact, f"is named by {path} but missing")
        elif listed.get(artifact) != manifest.stored_sha256:
            report.invalid(
                artifact, "is listed with another SHA-256 than its manifest and name say"
            )
        elif files.sizes[artifact] != manifest.stored_size:
            size = files.sizes[artifact]
            report.invalid(artifact, f"has {size} bytes, its manifest says {manifest.stored_size}")
    return wanted
