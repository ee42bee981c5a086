"""JSON as the verifier reads it: one meaning per text, within limits, standard library only."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from evidence.errors import CanonicalError

MAX_DEPTH = 64
MAX_BYTES = 1 << 20
# RFC 8785 section 3.2.2.3: numbers are IEEE 754 doubles, exact only below 2^53.
INT_LIMIT = 1 << 53

_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Read JSON that has exactly one meaning.

    Refuses bytes that are not UTF-8, more than `max_bytes`, nesting over `MAX_DEPTH`, duplicate
    or non-ASCII member names, fractions, exponents, NaN, and integers of 2^53 or more.

    Raises:
        CanonicalError: with what was found and what was expected.
    """
    if len(data) > max_bytes:
        raise CanonicalError(f"JSON of {len(data)} bytes, at most {max_bytes} are read")
    _refuse_deep(data)
    try:
        return _READER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CanonicalError(f"JSON is not UTF-8: {error.reason} at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise CanonicalError(f"not JSON: {error.msg} at character {error.pos}") from error


def canonical_form(value: Any, *, depth: int = 0) -> bytes:
    """Write `value`, as `parse` returns it, in its RFC 8785 form.

    `depth` is how deep the value will itself stand.

    With ASCII member names, no fractions and integers below 2^53 the standard library's sorted,
    compact output is byte-equal to RFC 8785.

    Raises:
        CanonicalError: for values outside that subset.
    """
    refuse_unsafe(value, depth)
    return _written(value)


def _written(value: Any) -> bytes:
    """Write a value that was found to be safe, as all that `parse` returns is."""
    try:
        return _WRITER.encode(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise CanonicalError("a string holds half of a surrogate pair; expected Unicode") from error


def parse_canonical(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Read JSON that must already be in canonical form.

    Raises:
        CanonicalError: when it is not JSON, or is JSON written another way.
    """
    value = parse(data, max_bytes=max_bytes)
    if _written(value) != data:
        raise CanonicalError("JSON is not in canonical form (RFC 8785); it was rewritten")
    return value


def unhex(value: object) -> bytes:
    """Return the bytes, at least one, of lower-case hex, the only form that is written.

    Raises:
        CanonicalError: when it is something else.
    """
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise CanonicalError("not bytes in lower-case hex")
    return bytes.fromhex(value)


def refuse_unsafe(value: Any, depth: int = 0) -> None:
    """Raise `CanonicalError` when `value` is outside the subset both canonical writers share."""
    if depth > MAX_DEPTH:
        raise CanonicalError(f"nested deeper than {MAX_DEPTH} levels; expected a flatter value")
    match value:
        case None | bool() | str():
            return
        case int():
            _refuse_large(value)
        case list() | tuple():
            for item in value:
                refuse_unsafe(item, depth + 1)
        case dict():
            # Most members are texts; each entry waits for this.
            deeper = depth < MAX_DEPTH
            for name, item in value.items():
                if type(name) is not str or not name.isascii():
                    _refuse_name(name)
                if type(item) is not str or not deeper:
                    refuse_unsafe(item, depth + 1)
        case _:
            raise CanonicalError(
                f"a {type(value).__name__} has no canonical form; "
                "expected null, bool, int, str, list or dict (write other numbers as strings)"
            )


def _members(pairs: Iterable[tuple[str, Any]]) -> Mapping[str, Any]:
    listed = list(pairs)
    found = dict(listed)
    if len(found) == len(listed) and "".join(found).isascii():
        return found
    seen: set[str] = set()
    for name, _ in listed:
        _refuse_name(name)
        if name in seen:
            raise CanonicalError(f"member {name!r} stands twice; expected it once")
        seen.add(name)
    return found


def _refuse_name(name: object) -> None:
    if not isinstance(name, str) or not name.isascii():
        raise CanonicalError(f"member name {ascii(name)[:80]} is not an ASCII string")


def _refuse_large(number: int) -> None:
    if not -INT_LIMIT < number < INT_LIMIT:
        raise CanonicalError("an integer of 2^53 or more; expected it as a string")


def _refuse_number(text: str) -> NoReturn:
    raise CanonicalError(f"number {text[:40]!r}; expected an integer below 2^53 or a string")


def _integer(text: str) -> int:
    # 2^53 has 16 digits; longer text is refused before it is turned into a number.
    if len(text) > 17:
        raise CanonicalError("an integer of 2^53 or more; expected it as a string")
    number = int(text)
    _refuse_large(number)
    return number


def _refuse_deep(data: bytes) -> None:
    # Nothing with so few brackets, wherever they stand, is deep.
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", data)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            raise CanonicalError(f"JSON nested deeper than {MAX_DEPTH} levels")


# Made once: a decoder with hooks is dear to make.
_READER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
    parse_int=_integer,
)
