"""What is asked of a signer in a process of its own, and what it answers: one line each.

    {"ask":"last"}                                      -> {"last":TEXT}
    {"ask":"sign","from":SIZE,"head":TEXT,"path":[HEX]}  -> {"note":TEXT}
                                                        or {"from":SIZE}: prove it from there
                                                        or {"refused":KIND,"size":SIZE,"why":TEXT}

Canonical JSON, each on a connection of its own; TEXT is that of a checkpoint (C2SP
tlog-checkpoint), or a signed note. KIND is `behind`, `fork`, `malformed` or `unable`.
"""

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence.errors import CanonicalError, EvidenceError, WireError
from evidence.note import Checkpoint, checkpoint_text, parse_checkpoint
from evidence.strict_json import canonical_form, parse_canonical, unhex

MAX_LINE = 1 << 16
# A proof has at most two nodes for each bit of a size.
MAX_PATH = 128


@dataclass(frozen=True, slots=True)
class Asked:
    """A head to be signed, and the proof that it extends the tree of `since` entries."""

    head: Checkpoint
    since: int
    path: tuple[bytes, ...]


def ask_last() -> bytes:
    """Return the request for what was signed last."""
    return line({"ask": "last"})


def ask_sign(head: Checkpoint, since: int, path: Sequence[bytes]) -> bytes:
    """Return the request to sign a head."""
    steps = [step.hex() for step in path]
    return line({"ask": "sign", "from": since, "head": checkpoint_text(head), "path": steps})


def read_request(data: bytes) -> Asked | None:
    """Return what is asked: a head to sign, or None for what was signed last.

    Raises:
        WireError: when it is malformed.
    """
    members = read_line(data)
    if members == {"ask": "last"}:
        return None
    if members.keys() != {"ask", "from", "head", "path"} or members["ask"] != "sign":
        raise WireError("is no request that is known")
    since, steps = members["from"], members["path"]
    if type(since) is not int or since < 0 or not isinstance(steps, list) or len(steps) > MAX_PATH:
        raise WireError("has a malformed size or path")
    try:
        path = tuple(unhex(step) for step in steps)
    except CanonicalError as error:
        raise WireError("has a path that is not hex") from error
    if any(len(step) != 32 for step in path):
        raise WireError("has a path of other than 32 bytes a step")
    return Asked(read_head(members["head"]), since, path)


def read_head(text: object) -> Checkpoint:
    """Return the checkpoint of a text that says nothing else. Raise WireError otherwise."""
    try:
        head = parse_checkpoint(text) if isinstance(text, str) else None
    except EvidenceError:
        head = None
    # What is signed is this head and no line besides.
    if head is None or checkpoint_text(head) != text:
        raise WireError("has a malformed head")
    return head


def read_line(data: bytes) -> Mapping[str, Any]:
    """Return the object of a line. Raise WireError where it is none."""
    try:
        members = parse_canonical(data.removesuffix(b"\n"))
    except CanonicalError as error:
        raise WireError("is not one line of canonical JSON") from error
    if not isinstance(members, dict):
        raise WireError("is no JSON object")
    return members


def line(members: Mapping[str, Any]) -> bytes:
    """Return an object as a line."""
    return canonical_form(dict(members)) + b"\n"


def receive(connection: socket.socket, end: float) -> bytes:
    """Return a line that was sent; `end` is when the wait for it is over (`time.monotonic`).

    Raises:
        WireError: when it does not come whole in time, or is too long.
        OSError: when the connection breaks.
    """
    data = b""
    while not data.endswith(b"\n"):
        left = end - time.monotonic()
        if left <= 0:
            raise WireError("did not come whole in time")
        connection.settimeout(left)
        try:
            more = connection.recv(1 << 14)
        except TimeoutError as error:
            raise WireError("did not come whole in time") from error
        data += more
        if not more or len(data) > MAX_LINE:
            raise WireError("broke off" if not more else f"is longer than {MAX_LINE} bytes")
    return data
