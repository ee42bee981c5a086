"""How long keys count: bounds in sizes of the ledger, and what a revoked key may vouch for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.evidence.second.findings import LackingError, need
from tests.evidence.second.texts import time_of

OPTIONAL = {"valid_from", "valid_until", "anchored_by"}


@dataclass(frozen=True)
class Bounds:
    begin: int = 0
    end: int | None = None
    revoked: bool = False

    def counts_for_entry(self, index: int) -> bool:
        return self.begin <= index and (self.end is None or index < self.end)

    def counts_for_head(self, size: int) -> bool:
        return self.begin <= size and self.may_state(size)

    def may_state(self, size: int) -> bool:
        return self.end is None or size <= self.end


ALWAYS = Bounds()


def read_history(listed: Any) -> Iterable[tuple[str, Any, Bounds]]:
    """Yield role, key as it stands, and bounds of each key that is named."""
    need(isinstance(listed, list), "key_history is no list")
    for one in listed:
        need(isinstance(one, dict), "a key of key_history is no object")
        role = one.get("role")
        need(role in ("log", "manifest"), "a key of key_history has no role")
        name = "vkey" if role == "log" else "jwk"
        need(name in one and set(one) <= {"role", name, *OPTIONAL}, "a key has other members")
        begin, end = one.get("valid_from", 0), one.get("valid_until")
        for size in (begin, *([end] if "valid_until" in one else [])):
            need(type(size) is int and size >= 0, "a bound is no size")
        need(end is None or begin <= end, "a key ends before it begins")
        revoked = "anchored_by" in one
        if revoked:
            time_of(one["anchored_by"])
            need(end is not None, "a revoked key has no end")
        yield role, one[name], Bounds(begin, end, revoked)


def check_entry(bounds: Mapping[str, Bounds], kid: str, index: int, witnessed: bool) -> None:
    """Check that a key counts for what the entry at `index` names or says."""
    mine = bounds.get(kid, ALWAYS)
    need(mine.counts_for_entry(index), f"the key {kid} does not count for entry {index}")
    check_seen(mine, index, witnessed)


def check_seen(mine: Bounds, index: int, witnessed: bool) -> None:
    if mine.revoked and not witnessed:
        raise LackingError(f"a revoked key vouches for entry {index}, and nothing from outside")
