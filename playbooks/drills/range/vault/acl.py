"""What a set of policies lets a token do (docs/concepts/policies, Policy syntax)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playbooks.drills.range.vault.hcl import Rules


@cache
def _matcher(pattern: str) -> re.Pattern[str]:
    ends = pattern.endswith("*")
    parts = pattern.removesuffix("*").split("/")
    text = "/".join("[^/]+" if part == "+" else re.escape(part) for part in parts)
    return re.compile(text + (".*" if ends else ""), re.DOTALL)


def _weight(pattern: str) -> tuple[float, bool, int, int, str]:
    """Sorts by priority: the rules of Policy syntax, "Priority matching", in their order."""
    ends = len(pattern) - 1 if pattern.endswith("*") else -1
    first = min((i for i in (pattern.find("+"), ends) if i >= 0), default=float("inf"))
    pluses = pattern.split("/").count("+")
    return first, not pattern.endswith("*"), -pluses, len(pattern), pattern


def capabilities(policies: Iterable[Rules], path: str) -> frozenset[str]:
    """What the policies together allow on a path: the best matching pattern decides alone.

    Capabilities of one pattern add up over policies, and deny beats them all. A path to list
    ends in a slash, and also meets a pattern that is the same without it.
    """
    whole: dict[str, frozenset[str]] = {}
    for rules in policies:
        for pattern, names in rules.items():
            if _matcher(pattern).fullmatch(path) or pattern == path.removesuffix("/"):
                whole[pattern] = whole.get(pattern, frozenset()) | names
    if not whole:
        return frozenset()
    best = whole[max(whole, key=_weight)]
    return frozenset({"deny"}) if "deny" in best else best
