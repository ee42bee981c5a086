"""Reads Vault's ACL policies: what they let a token do, and which ways to more they open. Pure.

Vault documentation, "Policies": HCL or JSON; `+` stands for one segment of a path, a trailing `*`
for any end of it; deny wins.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from playbooks.review.flags import ADMIN, ESCALATES, WILDCARD

Paths = Mapping[str, frozenset[str]]
# A block, and its list of capabilities; HCL's comments are taken out before.
_BLOCK = re.compile(r'path\s+"([^"]*)"\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}')
_LIST = re.compile(r"\bcapabilities\s*=\s*\[([^\]]*)\]")
_POLICY = re.compile(r'\bpolicy\s*=\s*"(\w+)"')
# The old way to say it ("Policies", "Legacy").
LEGACY = {
    "write": frozenset({"create", "read", "update", "delete", "list"}),
    "read": frozenset({"read", "list"}),
    "sudo": frozenset({"create", "read", "update", "delete", "list", "sudo"}),
    "deny": frozenset({"deny"}),
}
WRITES = ("create", "update", "patch")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to more than was given: its name, a path that opens it, and what is needed on it."""

    name: str
    path: str
    capabilities: tuple[str, ...]


WAYS = (
    Way("writes policies", "sys/policies/acl/any", WRITES),
    Way("writes policies", "sys/policy/any", WRITES),
    Way("makes tokens of any policy", "auth/token/create", ("sudo",)),
    Way("makes tokens without a parent", "auth/token/create-orphan", WRITES),
    Way("changes what an AppRole gets", "auth/approle/role/any", WRITES),
    Way("adds ways to log in", "sys/auth/any", ("sudo",)),
    Way("changes whose policies are whose", "identity/entity/id/any", WRITES),
    Way("changes whose policies are whose", "identity/group/id/any", WRITES),
)


def paths(text: str) -> Paths:
    """Return path -> capabilities of a policy; those of a path that stands twice are joined."""
    try:
        told = json.loads(text)
    except ValueError:
        return _of_hcl(text)
    blocks = told.get("path", {}) if isinstance(told, dict) else {}
    return {path: frozenset(block.get("capabilities", ())) for path, block in blocks.items()}


def may(granted: Iterable[Paths], path: str, capabilities: Iterable[str]) -> bool:
    """Return whether any of these capabilities is allowed on the path, by the closest pattern.

    The closest is what Vault takes of several that fit: exact before glob, later wildcards before
    earlier ones ("Policies", "Priority matching").
    """
    fitting: dict[str, set[str]] = {}
    for policy in granted:
        for pattern, held in policy.items():
            if _fits(pattern, path):
                fitting.setdefault(pattern, set()).update(held)
    if not fitting:
        return False
    closest = fitting[max(fitting, key=_closeness)]
    return "deny" not in closest and not closest.isdisjoint(capabilities)


def flags(granted: Iterable[Paths]) -> tuple[str, ...]:
    """Return the flags of a token that has these policies: admin, wildcard, and ways to more."""
    listed = list(granted)
    if may(listed, "any", WRITES) and may(listed, "sys/policies/acl/any", WRITES):
        return (ADMIN,)
    wide = {p for policy in listed for p, held in policy.items() if _wide(p) and "deny" not in held}
    opened = dict.fromkeys(w.name for w in WAYS if may(listed, w.path, w.capabilities))
    return (*((WILDCARD,) if wide else ()), *(f"{ESCALATES}: {name}" for name in opened))


def _wide(pattern: str) -> bool:
    """Return whether a pattern takes in a whole engine, or all of them."""
    return pattern.endswith("*") and pattern.count("/") <= 1


def _of_hcl(text: str) -> Paths:
    plain = re.sub(r"/\*.*?\*/", "", re.sub(r"(?m)^\s*(#|//).*$", "", text), flags=re.DOTALL)
    found: dict[str, frozenset[str]] = {}
    for path, body in _BLOCK.findall(plain):
        held = frozenset(re.findall(r'"(\w+)"', "".join(_LIST.findall(body))))
        for legacy in _POLICY.findall(body):
            held |= LEGACY.get(legacy, frozenset())
        found[path] = found.get(path, frozenset()) | held
    return found


def _fits(pattern: str, path: str) -> bool:
    made = re.escape(pattern).replace(r"\+", "[^/]+")
    if made.endswith(r"\*"):
        return re.match(made.removesuffix(r"\*"), path) is not None
    return re.fullmatch(made, path) is not None


def _closeness(pattern: str) -> tuple[int, bool, int, int]:
    first = re.search(r"[+*]", pattern)
    return (
        first.start() if first else len(pattern) + 1,
        not pattern.endswith("*"),
        -pattern.count("+"),
        len(pattern),
    )
