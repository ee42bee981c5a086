"""The checkpoint: a C2SP signed-note over a tlog-checkpoint, and the proofs under it."""

import hashlib
import re
from dataclasses import dataclass

from tests.evidence.second.findings import LackingError, WrongError, need
from tests.evidence.second.texts import DECIMAL, base64_bytes, matches
from tests.evidence.second.trust import Trust
from tests.evidence.second.vkeys import Vkey, signed


@dataclass(frozen=True)
class Head:
    origin: str
    size: int
    root: bytes
    text: str
    lines: tuple[str, ...]


def parse_head(data: bytes) -> Head:
    note = data.decode("utf-8")
    need(all(mark >= " " or mark == "\n" for mark in note), "has a control character")
    text, apart, rest = note.rpartition("\n\n")
    need(bool(apart) and rest.endswith("\n"), "is no signed note")
    rows = text.split("\n")
    need(len(rows) == 3 and bool(rows[0]), "its text is not the three lines of a checkpoint")
    matches(DECIMAL, rows[1])
    root = base64_bytes(rows[2])
    need(len(root) == 32, "its root hash has not 32 bytes")
    lines = tuple(rest.split("\n")[:-1])
    need(len(lines) <= 100, "has more than 100 signature lines")
    for line in lines:
        read_line(line)
    return Head(rows[0], int(rows[1]), root, text + "\n", lines)


def read_line(line: str) -> tuple[str, bytes, bytes]:
    """Return name, key id and signature of a signature line."""
    found = re.fullmatch(r"— ([^\s+]+) (\S+)", line)
    if found is None:
        raise WrongError("a signature line is malformed")
    raw = base64_bytes(found[2])
    need(len(raw) > 4, "a signature line is too short")
    return found[1], raw[:4], raw[4:]


def holds(head: Head, vkey: Vkey) -> bool:
    """Whether this key signed the head; raise `WrongError` where a line of it does not hold."""
    lines = [read_line(line) for line in head.lines]
    mine = [sig for name, key_id, sig in lines if (name, key_id) == (vkey.name, vkey.key_id)]
    need(all(signed(vkey, one, head.text) for one in mine), f"{vkey.name} did not sign this")
    return bool(mine)


def check_head(head: Head, trust: Trust) -> bool:
    """Check the log's signatures, and return whether the head is witnessed."""
    need(head.origin == trust.origin, "is the checkpoint of another log")
    signers = [one for one in trust.counting(head.size) if holds(head, one)]
    need(bool(signers), "no key of the log that counts for its size signed it")
    if trust.second is not None and not holds(head, trust.second):
        raise LackingError("the log's second key did not sign it")
    if trust.policy is None:
        return False
    cosigned = {one for one in trust.policy.witnesses.values() if holds(head, one)}
    return trust.policy.met(cosigned)


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


def check_inclusion(head: Head, index: int, leaf: bytes, path: list[bytes]) -> None:
    check_path(head.size, head.root, index, leaf, path)


def check_path(size: int, root: bytes, index: int, leaf: bytes, path: list[bytes]) -> None:
    """RFC 9162, 2.1.3.2, step by step."""
    need(0 <= index < size, "is not below the size of the tree")
    number, last, made = index, size - 1, leaf_hash(leaf)
    for one in path:
        need(last != 0, "its path is too long")
        if number % 2 or number == last:
            made = hashlib.sha256(b"\1" + one + made).digest()
            while number and not number % 2:
                number, last = number >> 1, last >> 1
        else:
            made = hashlib.sha256(b"\1" + made + one).digest()
        number, last = number >> 1, last >> 1
    need(last == 0 and made == root, "is not proven to be in the tree")
