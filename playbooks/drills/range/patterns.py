"""Wildcards and policy variables, as IAM policies write them (IAM: Policy elements: Variables)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Values = tuple[str, ...]
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERAL = {"*": "*", "?": "?", "$": "$"}


def matches(pattern: str, text: str, context: Mapping[str, Values], *, fold: bool = False) -> bool:
    """Whether `text` fits `pattern`: `*` any run, `?` one character, `${key}` a variable.

    `context` has lower-case keys. A variable without exactly one value fits nothing.
    """
    if "${" not in pattern:
        compiled = _compiled(pattern, fold)
        return compiled.fullmatch(text) is not None
    parts: list[str] = []
    end = 0
    for found in _VARIABLE.finditer(pattern):
        value = _value(found[1], context)
        if value is None:
            return False
        parts += [_wild(pattern[end : found.start()]), re.escape(value)]
        end = found.end()
    parts.append(_wild(pattern[end:]))
    return re.fullmatch("".join(parts), text, _flags(fold)) is not None


def filled(pattern: str, context: Mapping[str, Values]) -> str | None:
    """`pattern` with its variables replaced and no wildcards read; None when one has no value."""
    values = {found[0]: _value(found[1], context) for found in _VARIABLE.finditer(pattern)}
    if None in values.values():
        return None
    return _VARIABLE.sub(lambda found: str(values[found[0]]), pattern)


def arn_matches(pattern: str, arn: str, context: Mapping[str, Values]) -> bool:
    """Whether two ARNs fit in each of their six parts (IAM: ArnEquals and ArnLike are the same)."""
    text = filled(pattern, context)
    if text is None:
        return False
    left, right = text.split(":", 5), arn.split(":", 5)
    if len(left) != 6 or len(right) != 6:
        return text == "*" or text == arn
    return all(matches(a, b, {}) for a, b in zip(left, right, strict=True))


def _value(expression: str, context: Mapping[str, Values]) -> str | None:
    if expression in _LITERAL:
        return _LITERAL[expression]
    key, _, default = expression.partition(",")
    values = context.get(key.strip().lower(), ())
    if len(values) == 1:
        return values[0]
    default = default.strip()
    return default[1:-1] if default[:1] == default[-1:] == "'" and len(default) > 1 else None


def _wild(text: str) -> str:
    return re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")


def _flags(fold: bool) -> re.RegexFlag:
    return re.DOTALL | re.IGNORECASE if fold else re.DOTALL


@lru_cache(maxsize=4096)
def _compiled(pattern: str, fold: bool) -> re.Pattern[str]:
    return re.compile(_wild(pattern), _flags(fold))
