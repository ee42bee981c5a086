"""The entries of the case: leaves, openings, their order, and the proof of each."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from tests.evidence.second.findings import Findings, LackingError, need
from tests.evidence.second.folder import get
from tests.evidence.second.head import Head, check_inclusion, leaf_hash, parse_head, read_line
from tests.evidence.second.texts import (
    HASH,
    HEX,
    canonical,
    dumps,
    hmac_hex,
    lines,
    matches,
    members,
    time_of,
)
from tests.evidence.second.trust import Trust
from tests.evidence.second.values import restore

KIND = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
TOLD = ("case_seq", "kind", "event_time", "record_time")
PSEUDONYM = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Entry:
    index: int
    data: bytes
    leaf: dict[str, Any]
    actor: str | None
    body: Any


def read_entry(line: Any) -> Entry:
    """Check one entry by itself: its leaf's form, and that its opening is the committed one."""
    members(line, index=int, leaf=str, opening=object)
    need(line["index"] >= 0, "its index is negative")
    data = line["leaf"].encode("utf-8")
    need(len(data) <= 1024, "its leaf is longer than 1024 bytes")
    leaf = members(
        canonical(data),
        kind=str,
        case=str,
        case_seq=int,
        prev=object,
        event_time=str,
        record_time=str,
        actor=str,
        body=str,
    )
    matches(KIND, leaf["kind"])
    matches(PSEUDONYM, leaf["case"])
    matches(HASH, leaf["actor"], leaf["body"])
    if leaf["prev"] is not None:
        matches(HASH, leaf["prev"])
    time_of(leaf["event_time"])
    time_of(leaf["record_time"])
    if line["opening"] is None:
        return Entry(line["index"], data, leaf, None, None)
    need(isinstance(line["opening"], dict), "its opening is no object")
    more = {"values": list} if "values" in line["opening"] else {}
    opening = members(line["opening"], actor=str, body=str, salt=str, **more)
    matches(HEX, opening["salt"])
    body = opening["body"].encode("utf-8")
    need(hmac_hex(opening["salt"], body) == leaf["body"], "its body is not the committed one")
    actor = b"actor\0" + opening["actor"].encode("utf-8")
    need(hmac_hex(opening["salt"], actor) == leaf["actor"], "its actor is not the committed one")
    told = canonical(body)
    need(isinstance(told, dict), "its body is no object")
    by = opening["actor"]
    if more:
        by, told = restore(by, told, opening["values"])
    return Entry(line["index"], data, leaf, by, told)


def check_entries(data: bytes) -> list[Entry]:
    """Return the entries when nothing is missing between them, moved or added."""
    entries = [read_entry(line) for line in lines(data)]
    need(bool(entries), "holds no entry")
    prev: str | None = None
    for number, entry in enumerate(entries):
        need(entry.leaf["case_seq"] == number, f"entry {entry.index}: case_seq is not {number}")
        need(entry.leaf["prev"] == prev, f"entry {entry.index}: does not follow the one before")
        need(entry.leaf["case"] == entries[0].leaf["case"], f"entry {entry.index}: another case")
        need(not number or entries[number - 1].index < entry.index, "indices do not rise")
        prev = leaf_hash(entry.data).hex()
    return entries


def check_order(found: list[Any], expected: list[Any]) -> None:
    """Tell what is missing from what is too much, twice, or in another order."""
    need([one for one in expected if one in set(found)] == found, "is not in order, each once")
    if found != expected:
        raise LackingError(f"lacks {[one for one in expected if one not in set(found)]}")


def check_proofs(
    files: dict[str, bytes], head: Head, entries: list[Entry], trust: Trust | None, to: Findings
) -> None:
    """Check that each entry is in the ledger, in both forms of its proof."""
    leaves = {entry.index: entry.data for entry in entries}
    with to.about("data/custody/proofs.jsonl"):
        proofs = lines(get(files, "data/custody/proofs.jsonl"))
        for line in proofs:
            members(line, index=int, path=list)
            matches(HASH, *line["path"])
            need(line["index"] in leaves, f"proves {line['index']}, which is no entry here")
            path = [bytes.fromhex(one) for one in line["path"]]
            check_inclusion(head, line["index"], leaves[line["index"]], path)
        check_order([line["index"] for line in proofs], [*leaves])
    folder = "data/custody/proofs/"
    for name in files:
        if name.startswith(folder):
            with to.about(name):
                index = int(name.removeprefix(folder).removesuffix(".tlog-proof"))
                need(index in leaves, "proves no entry of this case")
                check_proof_file(files[name], index, head, leaves[index], trust)
    for index in leaves:
        if f"{folder}{index}.tlog-proof" not in files:
            to.lacking.append(f"{folder}{index}.tlog-proof: is missing")


def check_proof_file(data: bytes, index: int, head: Head, leaf: bytes, trust: Trust | None) -> None:
    above, _, note = data.partition(b"\n\n")
    rows = above.decode("ascii").split("\n")
    need(rows[:2] == ["c2sp.org/tlog-proof@v1", f"index {index}"], "does not begin as a proof")
    path = [base64.b64decode(row, validate=True) for row in rows[2:]]
    need([base64.b64encode(one).decode() for one in path] == rows[2:], "a hash has stray bits")
    need(all(len(one) == hashlib.sha256().digest_size for one in path), "a hash has not 32 bytes")
    check_inclusion(head, index, leaf, path)
    own = parse_head(note)
    need(own.text == head.text, "has the text of another checkpoint")
    need(set(own.lines) <= set(head.lines), "has a signature that the checkpoint has not")
    if trust is not None:
        lines_of = {read_line(line)[:2] for line in own.lines}
        counting = {(one.name, one.key_id) for one in trust.counting(head.size)}
        need(bool(lines_of & counting), "lacks the log's signature")


def check_timeline(data: bytes, entries: list[Entry]) -> None:
    told = [
        {
            "index": entry.index,
            **{name: entry.leaf[name] for name in TOLD},
            "actor": entry.actor,
            "body": entry.body,
        }
        for entry in entries
    ]
    need(data == dumps(told), "does not follow from the entries")
