"""Artifacts, their signed manifests, and the entries and statements that tell of them."""

import hashlib
import re
from typing import Any

from tests.evidence.second.entries import Entry, check_order
from tests.evidence.second.findings import Findings, LackingError, need
from tests.evidence.second.signatures import read_dsse, read_jws
from tests.evidence.second.texts import (
    HASH,
    HEX,
    SIZE,
    check_schema,
    dumps,
    hmac_hex,
    is_later,
    lines,
    matches,
    members,
    time_of,
)
from tests.evidence.second.trust import Trust

MANIFESTS, ARTIFACTS = "data/custody/manifests/", "data/artifacts/"
STATEMENTS = "data/custody/statements.dsse.jsonl"
WRAPS = ("A256KW", *(f"A256KW+{more}" for more in ("A256KW", "vault-transit", "awskms")))
ARTIFACT_ID = re.compile("[0-9a-f]{32}")
SEALED = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM"


def check_manifest(made: Any) -> dict[str, Any]:
    """Return a manifest that has the documented form and does not contradict itself."""
    check_schema(made, "urn:stanch:manifest:1")
    names = {"schema", "artifact_id", "name", "media_type", "case"}
    objects = {"source", "acquired", "plain", "stored", "tool"}
    kinds: dict[str, type] = {**dict.fromkeys(names, str), **dict.fromkeys(objects, dict)}
    kinds |= {"encryption": object, "sensitive": bool, "source_stable": bool, "gaps": list}
    kinds |= {"claims": list, "derived": object}
    found = members(made, **kinds)
    members(found["source"], name=str, call=str, target=str)
    matches(HASH, found["source"]["target"])
    members(found["acquired"], start=str, end=str)
    start, end = (time_of(found["acquired"][name]) for name in ("start", "end"))
    need(start <= end, "its acquisition ends before it starts")
    check_stored(found["stored"])
    members(found["tool"], name=str, version=str)
    sealed = found["encryption"] is not None
    digest = "hmac_sha256" if sealed else "sha256"
    members(found["plain"], size=str, **{digest: str})
    matches(HASH, found["plain"][digest], found["stored"]["sha256"])
    matches(SIZE, found["plain"]["size"], found["stored"]["size"])
    need(found["sensitive"] is sealed, "is sensitive and not encrypted, or the reverse")
    if sealed:
        members(found["encryption"], alg=str, key=str, wrap=str, wrapped_key=str)
        matches(HEX, found["encryption"]["wrapped_key"])
        need(found["encryption"]["alg"] == SEALED, "its encryption is not known")
        need(found["encryption"]["wrap"] in WRAPS, "its wrapping is not known")
    else:
        same = all(found["plain"][name] == found["stored"][name] for name in ("sha256", "size"))
        need(same, "plain and stored do not agree")
    at = 0
    for gap in found["gaps"]:
        members(gap, start=str, size=str, why=str)
        matches(SIZE, gap["start"], gap["size"])
        need(gap["size"] != "0", "a gap is empty")
        need(int(gap["start"]) >= at, "its gaps are not in order or overlap")
        at = int(gap["start"]) + int(gap["size"])
    size, last = int(found["plain"]["size"]), found["gaps"][-1:]
    early = bool(last) and int(last[0]["start"]) == size
    need(at <= size or early, "a gap ends behind the content")
    for claim in found["claims"]:
        members(claim, by=str, name=str, value=str)
    if found["derived"] is not None:
        check_derived(found["derived"])
    return found


def check_stored(stored: dict[str, Any]) -> None:
    """Check how a store tells of a file: its version there, and the parts it came in."""
    members(stored, sha256=str, size=str, version=object, parts=list)
    version = stored["version"]
    need(version is None or (isinstance(version, str) and version != ""), "an odd version")
    matches(SIZE, stored["size"])
    whole = 0
    for part in stored["parts"]:
        members(part, size=str, sha256=str)
        matches(HASH, part["sha256"])
        matches(SIZE, part["size"])
        whole += int(part["size"])
    need(not stored["parts"] or whole == int(stored["size"]), "its parts are not the whole")


def check_derived(derived: Any) -> None:
    """Check how an artifact tells what it was made from."""
    members(derived, tool=dict, map_sha256=object, **{"from": list})
    members(derived["tool"], name=str, version=str)
    if derived["map_sha256"] is not None:
        matches(HASH, derived["map_sha256"])
    need(derived["from"] != [], "is derived from nothing")
    origins = []
    for origin in derived["from"]:
        members(origin, artifact_id=str, manifest_sha256=str)
        matches(ARTIFACT_ID, origin["artifact_id"])
        matches(HASH, origin["manifest_sha256"])
        origins.append((origin["artifact_id"], origin["manifest_sha256"]))
    need(len(set(origins)) == len(origins), "is derived twice from one")


def check_story(entry: Entry, manifest: dict[str, Any]) -> None:
    """Check that an entry and the manifest it names say the same."""
    body = entry.body
    said = {
        "artifact_id": manifest["artifact_id"],
        "name": manifest["name"],
        "source": manifest["source"]["name"],
        "call": manifest["source"]["call"],
        "sensitive": manifest["sensitive"],
        "size": manifest["plain"]["size"],
        "stored_sha256": manifest["stored"]["sha256"],
    }
    for name, value in said.items():
        need(type(body.get(name)) is type(value) and body[name] == value, f"{name} differs")
    need(manifest["case"] == entry.leaf["case"], "its manifest is of another case")
    target, salt = body.get("target"), body.get("target_salt")
    need(isinstance(target, str), "has no target")
    matches(HEX, salt)
    made = hmac_hex(salt, b"target\0" + target.encode("utf-8"))
    need(made == manifest["source"]["target"], "target differs")


def check_artifacts(
    files: dict[str, bytes],
    entries: list[Entry],
    gone: set[str],
    trust: Trust | None,
    to: Findings,
) -> dict[str, dict[str, Any]]:
    """Check manifests, artifacts and entries against each other, each way."""
    manifests: dict[str, dict[str, Any]] = {}
    later: set[str] = set()
    for name in sorted(name for name in files if name.startswith(MANIFESTS)):
        with to.about(name):
            digest = hashlib.sha256(files[name]).hexdigest()
            need(name == f"{MANIFESTS}{digest}.jws", "is not named by its hash")
            made = read_jws(files[name], "evidence-manifest+jws", trust)
            if is_later(made, "urn:stanch:manifest:1"):
                later.add(digest)
            found = check_manifest(made)
            manifests[digest] = found
            stored = found["stored"]
            artifact = ARTIFACTS + stored["sha256"]
            if artifact not in files and stored["sha256"] in gone:
                continue
            if artifact not in files:
                raise LackingError(f"its artifact {artifact} is missing")
            need(str(len(files[artifact])) == stored["size"], "its artifact has another size")
    kept = {ARTIFACTS + manifest["stored"]["sha256"] for manifest in manifests.values()}
    for name in (name for name in files if name.startswith(ARTIFACTS)):
        with to.about(name):
            made = ARTIFACTS + hashlib.sha256(files[name]).hexdigest()
            need(name == made, "is not named by its hash")
            need(name in kept or bool(later), "has no manifest")
    named = set()
    stored_entries = [entry for entry in entries if entry.leaf["kind"] == "artifact.stored"]
    for entry in stored_entries:
        with to.about(f"entry {entry.index}"):
            if entry.body is None:
                raise LackingError("is not open, so nobody can tell which artifact it names")
            digest = entry.body.get("manifest_sha256")
            matches(HASH, digest)
            named.add(digest)
            if digest in later:
                continue
            if digest not in manifests:
                raise LackingError(f"its manifest {digest} is missing")
            check_story(entry, manifests[digest])
    for digest in manifests.keys() - named:
        with to.about(f"{MANIFESTS}{digest}.jws"):
            need(False, "is named by no entry that is open")
    with to.about(STATEMENTS):
        check_statements(files.get(STATEMENTS), manifests, later, trust)
    return manifests


def check_statements(
    data: bytes | None,
    manifests: dict[str, dict[str, Any]],
    later: set[str],
    trust: Trust | None,
) -> None:
    if data is None:
        if manifests or later:
            raise LackingError("is missing")
        return
    told: list[str] = []
    for envelope in lines(data):
        statement = read_dsse(envelope, trust)
        need(isinstance(statement, dict), "a statement is no object")
        predicate = members(statement.get("predicate"), manifest_sha256=str, manifest=dict)
        digest = predicate["manifest_sha256"]
        if digest in later:
            continue
        need(digest in manifests, "a statement is of no manifest here")
        told.append(digest)
        sha256 = manifests[digest]["stored"]["sha256"]
        expected = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": ARTIFACTS + sha256, "digest": {"sha256": sha256}}],
            "predicateType": "urn:stanch:custody-manifest:1",
            "predicate": {"manifest_sha256": digest, "manifest": manifests[digest]},
        }
        need(dumps(statement) == dumps(expected), "a statement says other than its manifest")
    need(bool(manifests or later), "tells of no manifest")
    check_order(told, sorted(manifests))
