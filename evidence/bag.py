"""The shape of a bundle: a BagIt 1.0 folder (RFC 8493), and where things lie in it.

Standard library only. Names in a bundle are plain ASCII, so nothing is ever percent-encoded.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evidence.errors import BundleError

DECLARATION = "bagit.txt"
INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
EXPORT = "export.jws"
GUIDE = "VERIFY.md"
REPORT = "report.html"

ARTIFACTS = "data/artifacts/"
MANIFESTS = "data/custody/manifests/"
STATEMENTS = "data/custody/statements.dsse.jsonl"
ENTRIES = "data/custody/entries.jsonl"
PROOFS = "data/custody/proofs.jsonl"
PROOF_FILES = "data/custody/proofs/"
CHECKPOINT = "data/custody/checkpoint"
HEADS = "data/custody/heads.jsonl"
POLICY = "data/custody/policy"
TIMELINE = "data/case/timeline.json"
CASE = "data/case/case.jsonld"
TIME = "data/time/"
TIME_PROOFS = "data/time/consistency.jsonl"
TIME_NOTED = "data/time/noted.jsonl"

FOLDERS = (
    "data",
    "data/artifacts",
    "data/case",
    "data/custody",
    "data/custody/manifests",
    "data/custody/proofs",
)

EXPORT_SCHEMA = "urn:stanch:export:1"
EXPORT_TYP = "evidence-export+jws"

DECLARATION_TEXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

_PLAIN_PATH = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}/)*[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")
_OXUM = re.compile(r"(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,8})")
_STATED = (
    "Bag-Software-Agent",
    "External-Identifier",
    "Internal-Sender-Identifier",
    "Payload-Oxum",
)
SINGLE = frozenset(
    {
        DECLARATION,
        INFO,
        MANIFEST,
        TAG_MANIFEST,
        EXPORT,
        GUIDE,
        REPORT,
        STATEMENTS,
        ENTRIES,
        PROOFS,
        CHECKPOINT,
        HEADS,
        POLICY,
        TIMELINE,
        CASE,
    }
)
_MANY = re.compile(
    rf"{ARTIFACTS}[0-9a-f]{{64}}|{MANIFESTS}[0-9a-f]{{64}}\.jws"
    rf"|{PROOF_FILES}(?:0|[1-9][0-9]*)\.tlog-proof|{TIME}[^/]+"
)


@dataclass(frozen=True, slots=True)
class Info:
    """What bag-info.txt states: the case's own id, the log's name, and the payload's bytes and
    number of files.
    """

    case: str
    origin: str
    size: int
    files: int


def is_plain(path: str) -> bool:
    """Tell whether a path is relative, of plain ASCII names, without `..`, at most 200 long."""
    return len(path) <= 200 and _PLAIN_PATH.fullmatch(path) is not None


def belongs(path: str) -> bool:
    """Tell whether a bundle has a file of this path; what one below `TIME` is called, is not asked.

    A new file of the format is named here, or no bundle with it is taken.
    """
    return path in SINGLE or _MANY.fullmatch(path) is not None


def manifest_text(digests: Mapping[str, str]) -> bytes:
    """Return a BagIt manifest: one `<sha256>  <path>` a line, sorted by path."""
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode("ascii")


def lines_of(data: bytes) -> Iterator[bytes]:
    """Yield the lines of a file that ends in a line's end, without their ends.

    One by one, for a file may be nothing but ends of lines.
    """
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        yield data[start:end]
        start = end + 1


def read_manifest_text(data: bytes) -> dict[str, str]:
    """Read a BagIt manifest into path -> SHA-256 in hex.

    Raises:
        BundleError: for a malformed line, an unsafe path, or a path that stands twice.
    """
    if not data.isascii():
        raise BundleError("not ASCII")
    if data and not data.endswith(b"\n"):
        raise BundleError("was cut off: its last line has no end")
    digests: dict[str, str] = {}
    for number, line in enumerate(lines_of(data), 1):
        found = _LINE.fullmatch(line.decode("ascii"))
        if found is None:
            raise BundleError(f"line {number} is not '<sha256>  <path>'")
        digest, path = found.groups()
        if not is_plain(path):
            raise BundleError(f"line {number} names an unsafe path {path[:200]!r}")
        if path in digests:
            raise BundleError(f"line {number} names {path} again")
        digests[path] = digest
    return digests


def info_text(case: str, origin: str, size: int, files: int) -> bytes:
    """Return bag-info.txt; `size` in bytes and `files` are those of the payload."""
    return (
        f"Bag-Software-Agent: stanch\nExternal-Identifier: {case}\n"
        f"Internal-Sender-Identifier: {origin}\nPayload-Oxum: {size}.{files}\n"
    ).encode()


def read_info(data: bytes) -> Info:
    """Read bag-info.txt; labels that are not ours (RFC 8493, 2.2.2) are ignored.

    Raises:
        BundleError: when it is not UTF-8, or states one of ours not exactly once, or malformed.
    """
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise BundleError(f"not UTF-8 at byte {error.start}") from error
    pairs = [(label, value) for label, colon, value in (x.partition(": ") for x in lines) if colon]
    for label in _STATED:
        if [name for name, _ in pairs].count(label) != 1:
            raise BundleError(f"states no {label}, or more than one; expected '{label}: ...' once")
    stated = dict(pairs)
    oxum = _OXUM.fullmatch(stated["Payload-Oxum"])
    if oxum is None:
        raise BundleError("states a Payload-Oxum that is not '<bytes>.<files>'")
    case, origin = stated["External-Identifier"], stated["Internal-Sender-Identifier"]
    return Info(case, origin, int(oxum[1]), int(oxum[2]))
