"""Takes values out of a JSON document, and checks that a copy lacks just those.

Each value that a pointer (RFC 6901) names becomes the text `GONE`; the copy is canonical JSON, so
that nothing hides in how it is written. A document that has no canonical form (fractions, large
integers, member names beyond ASCII, members that stand twice) is redacted by its bytes instead.
Standard library only, for the verifier reads it.
"""

import re
from collections.abc import Sequence
from typing import Any

from evidence.errors import CanonicalError, RedactionError
from evidence.strict_json import canonical_form, parse, parse_canonical

GONE = "[redacted]"
MAX_JSON = 1 << 26

_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")


def redacted(content: bytes, pointers: Sequence[str]) -> bytes:
    """Return the copy of a document without the values at `pointers`, none within another.

    Raises:
        RedactionError: when the document has no canonical form, or a pointer names nothing in it.
    """
    try:
        document = parse(content, max_bytes=MAX_JSON)
        root = {"": document}
        for pointer in pointers:
            holder, name = _find(root, pointer)
            holder[name] = GONE
        return canonical_form(root[""])
    except CanonicalError as error:
        raise RedactionError(f"{error}. Redact this artifact by ranges of bytes") from error


def filled(copy: bytes, pointers: Sequence[str]) -> str | None:
    """Return what is wrong in a copy, without its original: another value stands at a pointer."""
    try:
        root = {"": parse_canonical(copy, max_bytes=MAX_JSON)}
        for pointer in pointers:
            holder, name = _find(root, pointer)
            if holder[name] != GONE:
                return f"has another value than {GONE} at {pointer!r}"
    except (CanonicalError, RedactionError) as error:
        return str(error)
    return None


def _find(root: dict[str, Any], pointer: str) -> tuple[Any, Any]:
    """Return the array or object that holds what a pointer names, and the place in it."""
    holder: Any = root
    name: Any = ""
    for token in pointer.split("/")[1:]:
        holder = holder[name]
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(holder, list) and _INDEX.fullmatch(token):
            name = int(token)
        there = name in holder if isinstance(holder, dict) else _within(holder, name)
        if not there:
            raise RedactionError(f"there is no {pointer[:200]!r} in the document")
    return holder, name


def _within(holder: object, name: object) -> bool:
    return isinstance(holder, list) and isinstance(name, int) and name < len(holder)
