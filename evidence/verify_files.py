"""Checks that a bundle is a complete bag of plain files, each with its listed hash.

Nothing is followed, fetched or executed: links, devices, unlisted files and unsafe names are
findings, and sizes are compared with the stated total before anything large is read.
"""

import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain
from pathlib import Path

from evidence import bag
from evidence.errors import BundleError
from evidence.verify_report import Report

MAX_FILES = 1_000_000
MAX_DEPTH = 8
MAX_TAG_FILE = 1 << 28
MAX_INFO = 1 << 16
# What is read at once: more does not hash faster.
PIECE = 1 << 20
SHARE = 64
# A sparse file may claim petabytes: so much beyond the stated total is still hashed.
SLACK = 1 << 30

_TAG_FILES = (bag.DECLARATION, bag.INFO, bag.MANIFEST, bag.GUIDE, bag.REPORT)


Told = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Hear of bytes done, and bytes in all, and tell nobody."""


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
        return os.fdopen(self._handle(path), "rb")

    def read(self, path: str, limit: int) -> bytes:
        """Return a file's bytes.

        Raises:
            BundleError: when it is missing, cannot be read, or is larger than `limit` bytes.
        """
        handle = self._handle(path)
        try:
            parts, left = [], limit + 1
            while left and (part := os.read(handle, min(left, PIECE))):
                parts.append(part)
                left -= len(part)
        except OSError as error:
            raise BundleError(f"cannot be read: {error.strerror}") from error
        finally:
            os.close(handle)
        if not left:
            raise BundleError(f"is larger than {limit} bytes")
        return b"".join(parts)

    def sha256(self, path: str, buffer: memoryview, told: Callable[[int], None]) -> str:
        """Return a file's SHA-256 in hex, read through `buffer`; `told` hears of each piece.

        Raises:
            BundleError: when it is missing or cannot be read.
        """
        handle = self._handle(path)
        try:
            # Not every system knows it.
            if self.sizes[path] > len(buffer) and hasattr(os, "posix_fadvise"):
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            digest = hashlib.sha256()
            while count := os.readv(handle, [buffer]):
                digest.update(buffer[:count])
                told(count)
            return digest.hexdigest()
        except OSError as error:
            raise BundleError(f"cannot be read: {error.strerror}") from error
        finally:
            os.close(handle)

    def _handle(self, path: str) -> int:
        if path not in self.sizes:
            raise BundleError("is missing")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            return os.open(f"{self.root}/{path}", flags)
        except OSError as error:
            raise BundleError(f"cannot be read: {error.strerror}") from error


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


def check_files(files: Files, report: Report, told: Told = silent) -> dict[str, str]:
    """Check tag files, their manifest, the payload manifest, the stated size, every hash.

    `told` hears of the payload how many bytes of how many have been hashed.

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
    _compare(files, tags, report, silent)
    report.checked("tag files", len(tags), start)

    start = len(report.problems)
    payload = {path for path in files.sizes if path.startswith("data/")}
    listed = _listed(files, bag.MANIFEST, report)
    _check_listing(bag.MANIFEST, listed, payload, report)
    if _size_holds(files, payload, report):
        _compare(files, listed, report, told)
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


def _compare(files: Files, listed: dict[str, str], report: Report, told: Told) -> None:
    paths = sorted(listed.keys() & files.sizes.keys())
    buffers, tally = _Buffers(), _Tally(sum(files.sizes[path] for path in paths), told)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        shares = pool.map(
            lambda share: [_hash(files, path, buffers, tally) for path in share],
            _shares(files, paths),
        )
        for path, found in zip(paths, chain.from_iterable(shares), strict=True):
            if isinstance(found, BundleError):
                report.invalid(path, found)
            elif found != listed[path]:
                report.invalid(path, f"was altered: its SHA-256 is {found}, not {listed[path]}")


def _shares(files: Files, paths: Sequence[str]) -> Iterator[list[str]]:
    """Yield the paths in order, so many at a time that handing them out costs next to nothing."""
    share, size = [], 0
    for path in paths:
        share.append(path)
        size += files.sizes[path]
        if size >= PIECE or len(share) == SHARE:
            yield share
            share, size = [], 0
    yield share


class _Buffers(threading.local):
    """One buffer a thread, for as long as the thread lives."""

    def __init__(self) -> None:
        self.own = memoryview(bytearray(PIECE))


class _Tally:
    """How many bytes all threads together have hashed."""

    def __init__(self, total: int, told: Told) -> None:
        self._done, self._total, self._told = 0, total, told
        self._turn = threading.Lock()

    def add(self, count: int) -> None:
        with self._turn:
            self._done += count
            done = self._done
        self._told(done, self._total)


def _hash(files: Files, path: str, buffers: _Buffers, tally: _Tally) -> str | BundleError:
    try:
        return files.sha256(path, buffers.own, tally.add)
    except BundleError as error:
        return error
