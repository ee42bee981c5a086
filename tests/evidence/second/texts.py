"""Canonical JSON, lines, hex, times and base64: each value has one text, any other is refused."""

import base64
import binascii
import hmac
import json
import re
from datetime import datetime
from typing import Any, NoReturn

from tests.evidence.second.findings import LackingError, WrongError, need

LEVELS = 64
HASH = re.compile(r"[0-9a-f]{64}")
HEX = re.compile(r"(?:[0-9a-f]{2})+")
DECIMAL = re.compile(r"0|[1-9][0-9]*")
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def refuse(text: str) -> NoReturn:
    raise WrongError(f"{text} is no integer")


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    need(len(made) == len(pairs), "a member stands twice")
    need(all(name.isascii() for name in made), "a member's name is not ASCII")
    return made


def check_value(value: Any, level: int = 0) -> None:
    """Refuse numbers and depths that no file of a bundle has."""
    if isinstance(value, int) and not isinstance(value, bool):
        need(abs(value) < 1 << 53, "a number is not below 2^53")
    if isinstance(value, dict | list):
        need(level < LEVELS, f"more than {LEVELS} levels")
        for one in value.values() if isinstance(value, dict) else value:
            check_value(one, level + 1)


def loads(data: bytes) -> Any:
    """Return the value of JSON whose members stand once; raise `WrongError` for anything else."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            parse_float=refuse,
            parse_constant=refuse,
            object_pairs_hook=once,
        )
    except RecursionError:
        raise WrongError(f"more than {LEVELS} levels") from None
    check_value(value)
    return value


def dumps(value: Any) -> bytes:
    """Return the RFC 8785 text of a value that `loads` gave."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def canonical(data: bytes) -> Any:
    """Return the value whose one text `data` is."""
    value = loads(data)
    need(dumps(value) == data, "is JSON, but written in another way than RFC 8785's")
    return value


def lines(data: bytes) -> list[Any]:
    """Return the values of a `.jsonl` file."""
    rows = data.split(b"\n")
    need(rows.pop() == b"", "the last line does not end")
    return [canonical(row) for row in rows]


def members(value: Any, /, **kinds: type) -> dict[str, Any]:
    """Return `value` when it is an object of exactly these members, each of its type."""
    need(isinstance(value, dict), "is no object")
    need(set(value) == set(kinds), f"has not exactly the members {sorted(kinds)}")
    for name, kind in kinds.items():
        need(kind is object or type(value[name]) is kind, f"{name} is no {kind.__name__}")
    found: dict[str, Any] = value
    return found


def hmac_hex(salt: str, text: bytes) -> str:
    return hmac.digest(bytes.fromhex(salt), text, "sha256").hex()


def is_later(value: Any, known: str) -> bool:
    """Whether a payload says itself that it is in another form than the one known here."""
    schema = value.get("schema") if isinstance(value, dict) else None
    return isinstance(schema, str) and schema != known


def check_schema(value: Any, known: str) -> None:
    if is_later(value, known):
        raise LackingError(f"its schema is not known: {value['schema']:.80}")


def matches(pattern: re.Pattern[str], *texts: Any) -> None:
    for text in texts:
        need(isinstance(text, str) and bool(pattern.fullmatch(text)), f"{text!r:.80} is malformed")


def time_of(text: Any) -> datetime:
    matches(TIME, text)
    return datetime.fromisoformat(text)


def base64_bytes(text: str) -> bytes:
    """Decode RFC 4648, section 4, with padding and without stray bits."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise WrongError(f"is no base64: {error}") from None
    need(base64.b64encode(data).decode() == text, "is base64 with stray bits")
    return data


def base64url_bytes(text: str) -> bytes:
    """Decode RFC 4648, section 5, without padding and without stray bits."""
    need(bool(re.fullmatch(r"[A-Za-z0-9_-]*", text)), "is no base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise WrongError(f"is no base64url: {error}") from None
    need(base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text, "has stray bits")
    return data
