"""`python -m evidence trail BUNDLE [--logs FOLDER]`: checks CloudTrail's own digests once more.

What stands in a bundle of a trail's digests, keys and S3's words is checked as when it was kept,
with no provider at hand. Log files are sealed in a bundle: those that were opened (`stanch custody
read`) lie in FOLDER, each under its artifact's name. That the bundle itself is genuine, `verify`
says. Exit status: 0 all of it holds, 1 something does not, 2 there is no trail in it.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from evidence import bag
from evidence.errors import BundleError, EvidenceError
from evidence.ingest import opened
from evidence.sources.trail_digest import MOST, Fault
from evidence.sources.trail_recheck import CLAIMS, KEYS, recheck, window_of
from evidence.strict_json import parse

SOURCE = "trail_files"
_MOST_LINE = 1 << 20


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of a command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "trail", help="check the digests of a trail that a bundle holds"
    )
    parser.add_argument("path", type=Path, help="the bundle's folder")
    parser.add_argument("--logs", type=Path, help="folder of opened log files, by artifact name")


def run(chosen: argparse.Namespace) -> int:
    """Check every collection of a trail's files in the bundle; return the exit status."""
    bad = found = 0
    try:
        for target, stored in _collections(chosen.path):
            found += 1
            bad += _check(chosen.path, target, stored, chosen.logs)
    except (OSError, EvidenceError) as error:
        print(f"{chosen.path}: {error}", file=sys.stderr)
        return 1
    if not found:
        print(f"{chosen.path} holds no files of a trail", file=sys.stderr)
        return 2
    return 1 if bad else 0


def _check(folder: Path, target: str, stored: Mapping[str, str], logs: Path | None) -> int:
    small = {n: _read(folder, sha256) for n, sha256 in stored.items() if _is_small(n)}
    start, end = window_of(small)
    sealed = [n for n in stored if ".log." in n]
    with ExitStack() as files:
        streams = {}
        for name in sealed:
            if logs is not None and (path := logs / name).is_file():
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
                files.callback(os.close, descriptor)
                streams[name] = opened(descriptor)
        faults = recheck(small, streams, start, end)
    there = _objects(small, stored)
    # A log file that is in the bundle, and was not opened, is not missing: it was not looked at.
    faults = [f for f in faults if f.kind != "log_missing" or f.object not in there]
    digests = sum(".digest." in name for name in stored)
    print(
        f"{target}, {start:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ}: {digests} digests, "
        f"{len(sealed)} log files, {len(streams)} of them opened and compared"
    )
    for fault in faults:
        print(f"FAIL  {_told(fault)}")
    if not faults:
        print("ok    signed by CloudTrail's keys, unbroken, and what was compared is as it says")
    return len(faults)


def _collections(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each collection: account/region, and the artifacts' stored SHA-256 by name."""
    running: dict[str, dict[str, str]] = {}
    with (folder / bag.ENTRIES).open("rb") as lines:
        while line := lines.readline(_MOST_LINE):
            opening = parse(line).get("opening")
            body = json.loads(opening["body"]) if opening else {}
            if body.get("source") != SOURCE or "stored_sha256" not in body:
                continue
            target, name = str(body["target"]), str(body["name"])
            if name in running.get(target, ()):
                # It was collected again.
                yield target, running.pop(target)
            running.setdefault(target, {})[name] = str(body["stored_sha256"])
    for target, stored in running.items():
        if KEYS in stored:
            yield target, stored


def _read(folder: Path, sha256: str) -> bytes:
    path = folder / bag.ARTIFACTS / sha256
    if len(sha256) != 64 or not sha256.isalnum():
        raise BundleError(f"{sha256[:80]!r} is no name of an artifact")
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
        data = file.read(MOST + 1)
    if len(data) > MOST:
        raise BundleError(f"{path} has over {MOST} bytes, more than any digest")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BundleError(f"{path} is not what its name says; check the bundle first")
    return data


def _is_small(name: str) -> bool:
    return name in (KEYS, CLAIMS) or ".digest." in name


def _objects(small: Mapping[str, bytes], stored: Mapping[str, str]) -> set[str]:
    """Return the objects (`bucket/key`) of which the bundle has the file."""
    return {
        f"{one['asked']['Bucket']}/{one['asked']['Key']}"
        for one in json.loads(small[CLAIMS])
        if one["item"] in stored
    }


def _told(fault: Fault) -> str:
    said = f"{fault.kind} {fault.object}: {fault.why}"
    return "".join(c if c.isprintable() else "?" for c in said)
