"""The folder: which files are there, and that each is what the bag says (RFC 8493)."""

import hashlib
import os
import re
from pathlib import Path

from tests.evidence.second.findings import Findings, LackingError, WrongError, need

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
TAGS = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "VERIFY.md", "report.html")
TAG_MANIFEST, EXPORT = "tagmanifest-sha256.txt", "export.jws"
CASE = ("data/case/timeline.json", "data/case/case.jsonld")
CUSTODY = tuple(f"data/custody/{name}" for name in ("entries.jsonl", "proofs.jsonl", "checkpoint"))
NEEDED = (*TAGS, TAG_MANIFEST, EXPORT, *CASE, *CUSTODY)
OTHERS = re.compile(
    r"data/artifacts/[0-9a-f]{64}|data/custody/manifests/[0-9a-f]{64}\.jws"
    r"|data/custody/proofs/(?:0|[1-9][0-9]*)\.tlog-proof"
    r"|data/custody/(?:policy|heads\.jsonl|statements\.dsse\.jsonl)|data/time/[^/]+"
)
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
INFO = ("Bag-Software-Agent", "External-Identifier", "Internal-Sender-Identifier", "Payload-Oxum")


def find_files(bundle: Path, findings: Findings) -> dict[str, bytes]:
    """Return what every plain file below `bundle` holds, by its path."""
    files: dict[str, bytes] = {}
    folded: set[str] = set()
    for folder, folders, names in os.walk(bundle):
        for name in (*folders, *names):
            path = Path(folder, name)
            said = path.relative_to(bundle).as_posix()
            with findings.about(said):
                need(bool(NAME.fullmatch(name)), "is a name that no bundle has")
                need(said.lower() not in folded, "differs from another only in case")
                folded.add(said.lower())
                need(not path.is_symlink(), "is a link")
                if name in names:
                    need(path.is_file(), "is no plain file")
                    files[said] = path.read_bytes()
    for name in NEEDED:
        if name not in files:
            findings.lacking.append(f"{name}: is missing")
    for name in files:
        with findings.about(name):
            need(name in NEEDED or bool(OTHERS.fullmatch(name)), "is no file of a bundle")
    return files


def get(files: dict[str, bytes], name: str) -> bytes:
    if name not in files:
        raise LackingError("is missing")
    return files[name]


def read_manifest(data: bytes) -> dict[str, str]:
    """Return the hash of each path."""
    rows = data.decode("ascii").split("\n")
    need(rows.pop() == "", "its last line does not end")
    listed: list[tuple[str, str]] = []
    for row in rows:
        found = re.fullmatch(r"([0-9a-f]{64})  (\S+)", row)
        if found is None:
            raise WrongError(f"a line is malformed: {row:.80}")
        listed.append((found[2], found[1]))
    need(len(dict(listed)) == len(listed), "a path stands twice")
    return dict(listed)


def check_listed(files: dict[str, bytes], name: str, found: set[str], findings: Findings) -> None:
    """Check that one manifest lists these files and no others, each with its hash."""
    with findings.about(name):
        listed = read_manifest(get(files, name))
        for path in sorted(found | set(listed)):
            with findings.about(path):
                need(path in listed, f"{name} does not list it")
                if path not in found:
                    raise LackingError(f"{name} lists it")
                made = hashlib.sha256(files[path]).hexdigest()
                need(made == listed[path], f"has another hash than in {name}")


def check_bag(files: dict[str, bytes], findings: Findings) -> dict[str, str]:
    """Check the bag, and return what `bag-info.txt` says."""
    payload = {name for name in files if name.startswith("data/")}
    check_listed(files, "manifest-sha256.txt", payload, findings)
    check_listed(files, TAG_MANIFEST, set(files) - payload - {TAG_MANIFEST, EXPORT}, findings)
    with findings.about("bagit.txt"):
        need(get(files, "bagit.txt") == DECLARATION, "is not the declaration of a bag")
    with findings.about("bag-info.txt"):
        rows = get(files, "bag-info.txt").decode("utf-8").split("\n")
        pairs = [row.partition(": ") for row in rows]
        labels = [label for label, _, _ in pairs]
        for label in INFO:
            need(labels.count(label) == 1, f"has not one line {label}")
        said = {label: value for label, _, value in pairs}
        size = sum(len(files[name]) for name in payload)
        need(said["Payload-Oxum"] == f"{size}.{len(payload)}", "states another Payload-Oxum")
        return said
    return {}
