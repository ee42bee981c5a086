"""Checks that a bundle is a complete bag of plain files, each with its listed hash.

Nothing is followed, fetched or executed: links, devices, unlisted files and unsafe names are
findings, and sizes are compared with the stated total before anything large is read.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from evidence import bag
from evidence.errors import BundleError
from evidence.verify_report import Report

MAX_FILES = 1_000_000
MAX_DEPTH = 8
MAX_TAG_FILE = 1 << 28
MAX_INFO = 1 << 16
# A sparse file may claim petabytes: so much beyond the stated total is still hashed.
SLACK = 1 << 30

_TAG_FILES = (bag.DECLARATION, bag.INFO, bag.MANIFEST, bag.GUIDE, bag.REPORT)


@dataclass(frozen=True, slots=True)
class Files:
    """The plain files below a bundle's root: path -> size in bytes. Only these are ever read."""

    root: Path
    sizes: Mapping[str, int]

    def open(self, path: str) -> BufferedReader:
        """Return a stream of a plain file, never following a link.

        Raises:
            BundleError: when it is missing or cannot be read.
        """
        if path not in self.sizes:
            raise BundleError("is missing")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            return os.fdopen(os.open(self.root / path, flags), "rb")
        except OSError as error:
            raise BundleError(f"cannot be read: {error.strerror}") from error

    def read(self, path: str, limit: int) -> bytes:
        """Return a file's bytes.

        Raises:
            BundleError: when it is missing, cannot be read, or is larger than `limit` bytes.
        """
        try:
            with self.open(path) as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise BundleError(f"cannot be read: {error.strerror}") from error
        if len(data) > limit:
            raise BundleError(f"is larger than {limit} bytes")
        return data


def find_files(root: Path, report: Report) -> Files:
    """Return every plain file below `root`, noting what is not one."""
    start = len(report.problems)
    sizes: dict[str, int] = {}
    folded: dict[str, str] = {}
    for path, status in _walk(root, "", 0, report):
        if len(sizes) >= MAX_FILES:
            report.invalid(path, f"the bundle has more than {MAX_FILES} files")
            break
        twin = folded.setdefault(path.casefold(), path)
        if twin != path:
            report.invalid(path, f"differs from {twin} only in case")
        elif stat.S_ISLNK(status.st_mode):
            report.invalid(path, "is a symbolic link; a bundle holds only plain files")
        elif stat.S_ISDIR(status.st_mode) and path.count("/") < MAX_DEPTH:
            continue
        elif not stat.S_ISREG(status.st_mode):
            report.invalid(path, "is no plain file, or nested too deep")
        elif not bag.is_plain(path):
            report.invalid(path, "has an unsafe name; expected plain ASCII names")
        elif path == "fetch.txt":
            report.invalid(path, "a bundle fetches nothing; remove it and do not follow it")
        else:
            sizes[path] = status.st_size
            if not bag.belongs(path):
                report.invalid(path, "is none of the files that a bundle has; nothing judges it")
    report.checked("plain files only", len(sizes), start)
    return Files(root, sizes)


def check_files(files: Files, report: Report) -> dict[str, str]:
    """Check tag files, their manifest, the payload manifest, the stated size, every hash.

    Returns path -> SHA-256 in hex as the payload manifest lists it.
    """
    start = len(report.problems)
    for name in (*_TAG_FILES, bag.TAG_MANIFEST, bag.EXPORT):
        if name not in files.sizes:
            report.incomplete(name, "is missing")
    if bag.DECLARATION in files.sizes:
        _check_declaration(files, report)
    tags = _listed(files, bag.TAG_MANIFEST, report)
    _check_listing(bag.TAG_MANIFEST, tags, _tag_paths(files), report)
    _compare(files, tags, report)
    report.checked("tag files", len(tags), start)

    start = len(report.problems)
    payload = {path for path in files.sizes if path.startswith("data/")}
    listed = _listed(files, bag.MANIFEST, report)
    _check_listing(bag.MANIFEST, listed, payload, report)
    if _size_holds(files, payload, report):
        _compare(files, listed, report)
    report.checked("payload hashes", len(listed), start)
    return listed


def _walk(
    root: Path, prefix: str, depth: int, report: Report
) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(root / prefix if prefix else root) as found:
            names = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        report.incomplete(prefix or str(root), f"cannot be listed: {error.strerror}")
        return
    for entry in names:
        # An undecodable name becomes lone surrogates; the report shows them escaped.
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        status = entry.stat(follow_symlinks=False)
        yield path, status
        if stat.S_ISDIR(status.st_mode) and depth < MAX_DEPTH:
            yield from _walk(root, path, depth + 1, report)


def _tag_paths(files: Files) -> set[str]:
    outside = {bag.TAG_MANIFEST, bag.EXPORT}
    return {path for path in files.sizes if not path.startswith("data/")} - outside


def _check_declaration(files: Files, report: Report) -> None:
    try:
        if files.read(bag.DECLARATION, 1024) != bag.DECLARATION_TEXT:
            report.invalid(bag.DECLARATION, "does not declare BagIt 1.0 in UTF-8")
    except BundleError as error:
        report.invalid(bag.DECLARATION, error)


def _listed(files: Files, name: str, report: Report) -> dict[str, str]:
    if name not in files.sizes:
        return {}
    try:
        return bag.read_manifest_text(files.read(name, MAX_TAG_FILE))
    except BundleError as error:
        report.invalid(name, error)
        return {}


def _check_listing(name: str, listed: dict[str, str], found: set[str], report: Report) -> None:
    for path in sorted(listed.keys() - found):
        report.incomplete(path, f"is listed in {name} but missing")
    for path in sorted(found - listed.keys()):
        report.invalid(path, f"is not listed in {name}")


def _size_holds(files: Files, payload: set[str], report: Report) -> bool:
    if bag.INFO not in files.sizes:
        return True
    try:
        info = bag.read_info(files.read(bag.INFO, MAX_INFO))
    except BundleError as error:
        report.invalid(bag.INFO, error)
        return True
    found = (sum(files.sizes[path] for path in payload), len(payload))
    if found != (info.size, info.files):
        report.invalid(
            bag.INFO,
            f"states a payload of {info.size} bytes in {info.files} files; "
            f"found {found[0]} bytes in {found[1]}",
        )
    return found[0] <= info.size + SLACK


def _compare(files: Files, listed: dict[str, str], report: Report) -> None:
    paths = sorted(listed.keys() & files.sizes.keys())
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for path, found in zip(paths, pool.map(lambda p: _hash(files, p), paths), strict=True):
            if isinstance(found, BundleError):
                report.invalid(path, found)
            elif found != listed[path]:
                report.invalid(path, f"was altered: its SHA-256 is {found}, not {listed[path]}")


def _hash(files: Files, path: str) -> str | BundleError:
    try:
        with files.open(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except BundleError as error:
        return error
    except OSError as error:
        return BundleError(f"cannot be read: {error.strerror}")
