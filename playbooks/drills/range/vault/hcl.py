"""Policies as text: the part of HCL, or the JSON, that Vault's ACL policies are written in.

    path "secret/data/*" { capabilities = ["read", "list"] }

Parameter constraints are refused, not ignored: the simulator would else allow what Vault denies.
"""

from __future__ import annotations

import json
import re
from typing import Any

from playbooks.drills.range.vault.errors import invalid

CAPABILITIES = frozenset(
    "create read update delete list sudo deny patch root subscribe recover".split()
)
_TOKEN = re.compile(
    r'(?P<skip>\s+|\#[^\n]*|//[^\n]*|/\*.*?\*/)|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<word>[\w.-]+)|(?P<mark>[{}\[\]=,])",
    re.DOTALL,
)

Rules = dict[str, frozenset[str]]


def rules(text: str) -> Rules:
    """Path pattern -> capabilities; raises RefusedError 400 for what cannot be read."""
    blocks = _json(text) if text.lstrip().startswith("{") else _hcl(text)
    found: Rules = {}
    for path, block in blocks:
        unknown = block.keys() - {"capabilities"}
        if unknown:
            raise invalid(f"failed to parse policy: {sorted(unknown)} is not simulated here")
        names = frozenset(block.get("capabilities", ()))
        if names - CAPABILITIES:
            raise invalid(f"failed to parse policy: path {path!r}: invalid capability")
        found[path.lstrip("/")] = found.get(path.lstrip("/"), frozenset()) | names
    return found


def _json(text: str) -> list[tuple[str, dict[str, Any]]]:
    try:
        paths = json.loads(text).get("path", {})
        return [(path, dict(block)) for path, block in paths.items()]
    except (ValueError, AttributeError, TypeError) as e:
        raise invalid("failed to parse policy: not the JSON form of a policy") from e


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise invalid(f"failed to parse policy: illegal character at {at}")
        at = token.end()
        if token.lastgroup != "skip":
            found.append(token[0])
    return found


def _hcl(text: str) -> list[tuple[str, dict[str, Any]]]:
    left = _tokens(text)[::-1]

    def take(expected: str = "") -> str:
        token = left.pop() if left else ""
        if not token or (expected and token != expected):
            raise invalid(f"failed to parse policy: expected {expected or 'more'}, got {token!r}")
        return token

    blocks = []
    while left:
        take("path")
        path = _string(take())
        take("{")
        block: dict[str, Any] = {}
        while (name := take()) != "}":
            take("=")
            block[name] = _value(take, left)
        blocks.append((path, block))
    return blocks


def _string(token: str) -> str:
    if not token.startswith('"'):
        raise invalid(f"failed to parse policy: expected a string, got {token!r}")
    return str(json.loads(token))


def _value(take: Any, left: list[str]) -> Any:
    word = take()
    if word != "[":
        return word.strip('"')
    items = []
    while (word := take()) != "]":
        items.append(word.strip('"'))
        if left and left[-1] == ",":
            take()
    return items
