"""What a Vault's ACL policies let their holder do, from their text alone. Pure.

Source: Vault documentation, "Policies": "Policy syntax", "Capabilities", "Priority matching".
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

Grants = Mapping[str, frozenset[str]]
# A text that cannot be read, and the policy `root`: what is not known to be refused is allowed.
ALL: Grants = {"*": frozenset({"create", "read", "update", "delete", "list", "sudo"})}
# What `policy = "write"` stood for, before there were capabilities.
OLD = {
    "deny": ("deny",),
    "read": ("read", "list"),
    "write": ("create", "read", "update", "delete", "list"),
    "sudo": ("create", "read", "update", "delete", "list", "sudo"),
}
_TOKEN = re.compile(
    r'(?P<skip>\s+|\#[^\n]*|//[^\n]*|/\*.*?\*/)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[{}\[\]=,])'
    r"|(?P<word>[^\s{}\[\]=,\"]+)",
    re.DOTALL,
)


def grants(text: str) -> Grants:
    """Return each path pattern of a policy, in HCL or JSON, with what it allows there."""
    try:
        told = json.loads(text)
    except ValueError:
        return _hcl(text)
    try:
        paths = told.get("path") or {}
        blocks = paths if isinstance(paths, list) else [paths]
        return {p: _named(b) for block in blocks for p, b in block.items()}
    except (AttributeError, TypeError):
        return ALL


def allows(policies: Iterable[Grants], path: str, *capabilities: str) -> bool:
    """Return whether any of these capabilities is had on a path.

    The most exact pattern decides alone; of equal ones all count, and a deny beats them.
    """
    whole: dict[str, frozenset[str]] = {}
    for one in policies:
        for pattern, names in one.items():
            if _fits(pattern, path):
                whole[pattern] = whole.get(pattern, frozenset()) | names
    best = whole[max(whole, key=_weight)] if whole else frozenset()
    return "deny" not in best and bool(best & set(capabilities))


def _fits(pattern: str, path: str) -> bool:
    """Return whether a pattern may match; what is filled in for a holder fits anything."""
    ends = pattern.endswith("*")
    parts = re.sub(r"\{\{.*?\}\}", "\0", pattern.removesuffix("*")).split("/")
    made = "/".join(
        "[^/]+" if part == "+" else re.escape(part).replace("\0", "[^/]+") for part in parts
    )
    return re.fullmatch(made + (".*" if ends else ""), path, re.DOTALL) is not None


def _weight(pattern: str) -> tuple[float, bool, int, int, str]:
    ends = len(pattern) - 1 if pattern.endswith("*") else -1
    first = min((i for i in (pattern.find("+"), ends) if i >= 0), default=float("inf"))
    return first, ends < 0, -pattern.split("/").count("+"), len(pattern), pattern


def _named(block: Mapping[str, object]) -> frozenset[str]:
    names = block.get("capabilities")
    if isinstance(names, list):
        return frozenset(map(str, names))
    return frozenset(OLD.get(str(block.get("policy", "")), ()))


def _hcl(text: str) -> Grants:
    """Read `path "..." { ... }` blocks; of what is in them only the capabilities count."""
    found: dict[str, frozenset[str]] = {}
    words = list(_words(text))
    at = 0
    while at + 2 < len(words):
        if words[at].strip('"') != "path" or words[at + 2] != "{":
            return ALL
        body, after = _block(words, at + 3)
        path = words[at + 1].strip('"')
        found[path] = found.get(path, frozenset()) | _capabilities(body)
        at = after
    return found if at == len(words) else ALL


def _words(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            yield "?"  # Such as a quote that does not end: what follows is not understood.
            return
        at = token.end()
        if token.lastgroup != "skip":
            yield token.group()


def _block(words: list[str], start: int) -> tuple[list[str], int]:
    """Return the words up to the brace that closes, those of inner blocks left out."""
    depth, body = 1, list[str]()
    for at in range(start, len(words)):
        depth += {"{": 1, "}": -1}.get(words[at], 0)
        if depth == 0:
            return body, at + 1
        if depth == 1:
            body.append(words[at])
    return body, len(words) + 1


def _capabilities(body: list[str]) -> frozenset[str]:
    for at, word in enumerate(body[:-2]):
        if body[at + 1] != "=":
            continue
        if word == "policy":
            return frozenset(OLD.get(body[at + 2].strip('"'), ()))
        if word == "capabilities":
            ends = body.index("]", at) if "]" in body[at:] else len(body)
            return frozenset(w.strip('"') for w in body[at + 3 : ends] if w != ",")
    return frozenset()
