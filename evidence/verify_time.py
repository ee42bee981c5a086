"""Checks the timestamps of a bundle against the authorities that the trust input names.

Needs rfc3161-client (the extra `verify-time`) for the signatures; where it is not there, all the
rest is checked and the verdict says that timestamps were not.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from evidence import bag, timestamp_check
from evidence.errors import BundleError, EvidenceError, TimestampError
from evidence.merkle import verify_consistency, verify_inclusion
from evidence.note import Checkpoint, checkpoint_text, parse_checkpoint
from evidence.strict_json import parse_canonical, unhex
from evidence.time_window import Anchor, Window, covering, windows
from evidence.timestamp import Authority, with_lists
from evidence.timestamp_revocation import (
    MAX_LISTS,
    RevokedError,
    known_until,
    refuse_revoked,
)
from evidence.timestamp_token import MAX_TOKEN
from evidence.verify_entries import Proven, read_entry, read_lines, read_opening
from evidence.verify_files import Files
from evidence.verify_renewal import Doubtful, renewed
from evidence.verify_report import Report, Times
from evidence.verify_trust import Trust

MAX_TEXT = MAX_PEM = 1 << 16
# What two honest clocks, and the seconds between signing and stamping, may make of difference.
AGREE = timedelta(minutes=15)

_NAME = re.compile(
    r"(?P<size>[1-9][0-9]{0,18})(\.txt|-(?P<of>[a-z0-9][a-z0-9-]*)\.(tsq|tsr))"
    r"|[a-z0-9][a-z0-9-]*\.(pem|crl)|consistency\.jsonl|noted\.jsonl"
)


@dataclass(frozen=True, slots=True)
class _Named:
    """A token's file, whose it says it is, and over the checkpoint of how many entries."""

    path: str
    authority: str
    size: int


def check_time(
    files: Files, trust: Trust | None, head: Checkpoint | None, proven: list[Proven], report: Report
) -> None:
    """Set `report.timestamped` where a quorum stamped all entries, and `report.times` of each."""
    start = len(report.problems)
    paths = [path for path in files.sizes if path.startswith(bag.TIME)]
    for path in paths:
        if not _NAME.fullmatch(path.removeprefix(bag.TIME)):
            report.invalid(path, "is no part of a bundle's timestamps")
    if head is None:
        return
    texts = _texts(files, head, report) if paths else {}
    report.checked("stamped checkpoints lead to this one", len(texts), start)
    if trust is None or not trust.authorities:
        return
    if lacking := timestamp_check.missing():
        report.why_untimestamped = (
            f"untimestamped: timestamps were not checked: {lacking}. Install it "
            "(`pip install 'rfc3161-client>=1.0.6'`) and check again"
        )
        return
    known = {one.name: _with_lists(files, one, report) for one in trust.authorities}
    start = len(report.problems)
    anchors, doubtful = _anchors(files, known, texts, head, report)
    again, lost = renewed(anchors, doubtful, trust.timestamp_quorum, report)
    anchors += again
    _check_certificates(files, known, report)
    report.checked("timestamps", len(anchors), start)
    report.revocation = [_revocation(one, anchors, lost) for one in known.values()]

    start = len(report.problems)
    _check_agreement(anchors, report)
    found = windows(anchors, [entry.index for entry in proven], trust.timestamp_quorum)
    _check_claims(found, proven, report)
    report.checked("times agree", len(found), start)
    _judge(anchors, trust, proven, report)
    report.times = [Times(w.index, _told(w.not_before), _told(w.not_after)) for w in found]


def _judge(anchors: list[Anchor], trust: Trust, proven: list[Proven], report: Report) -> None:
    last = max((entry.index for entry in proven), default=-1)
    having = covering(anchors, last)
    if proven and len(having) >= trust.timestamp_quorum:
        report.timestamped = True
        return
    missing = ", ".join(sorted({one.name for one in trust.authorities} - having))
    report.why_untimestamped = (
        f"untimestamped: {len(having)} of the {trust.timestamp_quorum} timestamp authorities that "
        f"are needed stamped all entries, not {missing}"
    )


def _texts(files: Files, head: Checkpoint, report: Report) -> dict[int, bytes]:
    """Return, by size, the stamped texts whose trees are the beginning of the head's."""
    paths: dict[int, list[bytes]] = {}
    for number, line in enumerate(read_lines(files, bag.TIME_PROOFS, report)):
        try:
            members = _exactly(line, {"size", "path"})
            if members["size"] in paths:
                raise BundleError("proves a size again")
            paths[members["size"]] = [unhex(step) for step in members["path"]]
        except (EvidenceError, TypeError):
            report.invalid(bag.TIME_PROOFS, f"line {number + 1}: is no proof of size and path")
    texts: dict[int, bytes] = {}
    for path in sorted(path for path in files.sizes if path.startswith(bag.TIME)):
        size, suffix = _size(path), path.rpartition(".")[2]
        if size is None or suffix != "txt":
            continue
        try:
            text = files.read(path, MAX_TEXT)
            stamped = parse_checkpoint(text.decode("ascii"))
            if checkpoint_text(stamped).encode() != text or stamped.size != size:
                raise BundleError("is not the text of a checkpoint of the size that it is named by")
            if stamped.origin != head.origin:
                raise BundleError(f"is of another log, {stamped.origin!r}")
            verify_consistency(size, head.size, stamped.root, head.root, paths.get(size, []))
        except UnicodeDecodeError:
            report.invalid(path, "is not ASCII")
        except EvidenceError as error:
            report.invalid(path, error)
        else:
            texts[size] = text
    return texts


def _anchors(
    files: Files,
    known: Mapping[str, Authority],
    texts: Mapping[int, bytes],
    head: Checkpoint,
    report: Report,
) -> tuple[list[Anchor], list[Doubtful]]:
    """Return what tokens show, and apart what those show whose authority was revoked."""
    noted = _noted(files, head, report)
    anchors: list[Anchor] = []
    doubtful: list[Doubtful] = []
    for named in _tokens(files):
        text = f"{bag.TIME}{named.size}.txt"
        if text not in files.sizes:
            report.incomplete(named.path, f"lacks {text}, which it stamps")
        # Of one that the auditor does not name nothing is believed, so nothing is checked.
        if named.authority not in known or named.size not in texts:
            continue
        try:
            asked = files.read(f"{named.path[:-1]}q", MAX_TOKEN)
            answer = files.read(named.path, MAX_TOKEN)
            signer = known[named.authority]
            token = timestamp_check.made(signer, texts[named.size], asked, answer)
            index = noted.get((named.size, named.authority, hashlib.sha256(answer).hexdigest()))
            anchor = Anchor(named.authority, token.time, named.size, index)
            refuse_revoked((signer.certificate, *signer.chain), signer.lists, token.time)
            anchors.append(anchor)
        except RevokedError as error:
            doubtful.append(Doubtful(named.path, anchor, error))
        except BundleError as error:
            report.incomplete(named.path, f"its request {error}")
        except TimestampError as error:
            report.invalid(named.path, f"{named.authority}: {error}")
    return anchors, doubtful


def _noted(files: Files, head: Checkpoint, report: Report) -> dict[tuple[int, str, str], int]:
    """Return size, authority and digest -> the index of the entry that notes the token."""
    found: dict[tuple[int, str, str], int] = {}
    if bag.TIME_NOTED not in files.sizes:
        return found
    for number, line in enumerate(read_lines(files, bag.TIME_NOTED, report)):
        try:
            members = _exactly(line, {"size", "authority", "entry", "path"})
            entry, opening = read_entry(members["entry"])
            path = [unhex(step) for step in members["path"]]
            verify_inclusion(entry.hash, entry.index, head.size, path, head.root)
            opened = read_opening(entry.leaf, opening)
            if entry.leaf.kind != "tsa.token":
                raise BundleError("is no entry that notes a token")
            if opened is not None:
                body = opened[1]
                named = (body["checkpoint_size"], body["authority"], body["token_sha256"])
                if named[:2] != (members["size"], members["authority"]):
                    raise BundleError("names another token than its entry does")
                found[named] = entry.index
        except EvidenceError as error:
            report.invalid(bag.TIME_NOTED, f"line {number + 1}: {error}")
        except (KeyError, TypeError):
            report.invalid(bag.TIME_NOTED, f"line {number + 1}: is no entry of a token")
    return found


def _with_lists(files: Files, known: Authority, report: Report) -> Authority:
    """Return the authority with the revocation lists that the bundle has of it, too.

    Who made the bundle may have left one out, but nobody can make one up.
    """
    path = f"{bag.TIME}{known.name}.crl"
    if path not in files.sizes:
        return known
    try:
        return with_lists(known, files.read(path, MAX_LISTS))
    except EvidenceError as error:
        report.invalid(path, error)
        return known


def _revocation(known: Authority, anchors: list[Anchor], lost: Mapping[str, str]) -> str:
    """Say what is known of whether an authority's certificate was revoked."""
    if known.name in lost:
        return f"{known.name}: not all of its tokens count: {lost[known.name]}"
    until = known_until((known.certificate, *known.chain), known.lists)
    newest = max((one.time for one in anchors if one.authority == known.name), default=None)
    if until is None:
        return f"{known.name}: revocation not checked: there is no list (CRL) of its issuer"
    if newest is not None and newest > until:
        return (
            f"{known.name}: revocation checked up to {_told(until)} only, when its list was made; "
            f"its newest token is of {_told(newest)}"
        )
    return f"{known.name}: no token of it was revoked, by a list of {_told(until)}"


def _exactly(line: bytes, names: set[str]) -> Mapping[str, Any]:
    members = parse_canonical(line)
    if not isinstance(members, dict) or members.keys() != names:
        raise BundleError(f"has not exactly {', '.join(sorted(names))}")
    return members


def _check_certificates(files: Files, known: Mapping[str, Authority], report: Report) -> None:
    for name, one in known.items():
        path = f"{bag.TIME}{name}.pem"
        if path in files.sizes:
            try:
                if files.read(path, MAX_PEM) != one.pem:
                    report.invalid(path, f"is not the certificate of {name} in the trust input")
            except BundleError as error:
                report.invalid(path, error)


def _check_agreement(anchors: list[Anchor], report: Report) -> None:
    """Find false clocks. It is always the newest checkpoint that is stamped, and a token adds an
    entry: so none is stamped at two times, nor a larger one before a smaller one.
    """
    latest: Anchor | None = None
    for one in sorted(anchors, key=lambda anchor: (anchor.size, anchor.time)):
        if latest is not None and (
            one.time < latest.time - AGREE
            or (one.size == latest.size and one.time > latest.time + AGREE)
        ):
            report.invalid(
                bag.TIME,
                f"{latest.authority} stamped {latest.size} entries at {latest.time.isoformat()} "
                f"and {one.authority} stamped {one.size} at {one.time.isoformat()}: one of their "
                "clocks was false. Take whom you do not believe out of the trust input",
            )
        if latest is None or one.time > latest.time:
            latest = one


def _check_claims(found: list[Window], proven: list[Proven], report: Report) -> None:
    """Compare what entries say of their time, by the host's clock, with what others prove."""
    for window, entry in zip(found, proven, strict=True):
        claimed = datetime.fromisoformat(entry.leaf.record_time)
        place = f"ledger entry {entry.index}: says it was recorded at {entry.leaf.record_time}"
        if window.not_after is not None and claimed > window.not_after + AGREE:
            by = window.not_after.isoformat()
            report.invalid(bag.ENTRIES, f"{place}, but a timestamp proves that it was by {by}")
        if window.not_before is not None and claimed < window.not_before - AGREE:
            since = window.not_before.isoformat()
            report.invalid(
                bag.ENTRIES, f"{place}, but a timestamp proves that it was after {since}"
            )


def _tokens(files: Files) -> list[_Named]:
    found = []
    for path in sorted(files.sizes):
        match = _NAME.fullmatch(path.removeprefix(bag.TIME)) if path.startswith(bag.TIME) else None
        if match and match["of"] and path.endswith(".tsr"):
            found.append(_Named(path, match["of"], int(match["size"])))
    return found


def _size(path: str) -> int | None:
    match = _NAME.fullmatch(path.removeprefix(bag.TIME))
    return int(match["size"]) if match and match["size"] else None


def _told(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
