"""How long a key counts: bounds in sizes of the ledger, for a key that another one followed.

A size is a number of entries. From `since` on, and up to `until`, a key signs heads of these sizes;
of entries it vouches for those at an index from `since` on and below `until`, so for what a head
of `until` entries holds. At the size where one key follows another both sign. Standard library.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evidence.errors import BundleError
from evidence.leaf import is_stamp, stamp

LOG, MANIFEST, WRAP = "log", "manifest", "wrap"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What of the ledger a key vouches for; without `until` whatever comes.

    `anchored_by` (aware) is for a key that was revoked: who stole it can sign anything, and claim
    any place. So what it signed counts only where somebody outside saw it by then.
    """

    since: int = 0
    until: int | None = None
    anchored_by: datetime | None = None

    def entry(self, index: int) -> bool:
        """Tell whether the key vouches for the entry at `index`."""
        return self.since <= index and (self.until is None or index < self.until)

    def head(self, size: int) -> bool:
        """Tell whether the key signs heads of so many entries."""
        return self.since <= size and self.over(size)

    def over(self, size: int) -> bool:
        """Tell whether the key may state what a ledger of so many entries held.

        Also of fewer than `since`: a bundle is made over the newest head that witnesses saw.
        """
        return self.until is None or size <= self.until

    def __str__(self) -> str:
        """Say it for people, as in `counts for sizes 12 to 40`."""
        if self.until is None:
            return f"sizes from {self.since}"
        return f"sizes {self.since} to {self.until}"


UNBOUNDED = Bounds()


@dataclass(frozen=True, slots=True)
class Bounded:
    """A key as `key_history` names it: its role, its public form, and its bounds."""

    role: str
    key: Any
    bounds: Bounds


def read_history(members: Mapping[str, Any]) -> list[Bounded]:
    """Return the keys of `key_history` in trust.json, in order; none without it.

    `key` is a vkey's text for a log key and a JWK for a manifest key; neither is read here.

    Raises:
        BundleError: when one is malformed, or has bounds that contradict each other.
    """
    listed = members.get("key_history", [])
    if not isinstance(listed, list):
        raise BundleError("trust input: key_history is no list")
    return [_read(one) for one in listed]


def write_history(keys: list[Bounded]) -> list[dict[str, Any]]:
    """Return the keys as they stand in `key_history`."""
    return [_written(one) for one in keys]


_MEMBER = {LOG: "vkey", MANIFEST: "jwk"}
_FORM: Mapping[str, Callable[[Any], bool]] = {
    "valid_from": lambda value: type(value) is int and value >= 0,
    "valid_until": lambda value: type(value) is int and value >= 0,
    "anchored_by": is_stamp,
}


def _read(one: object) -> Bounded:
    role = one.get("role") if isinstance(one, dict) else None
    if not isinstance(one, dict) or role not in _MEMBER:
        raise BundleError(
            "trust input: key_history names a key that is of neither log nor manifest"
        )
    name = _MEMBER[str(role)]
    foreign = one.keys() - {"role", name, *_FORM}
    if foreign or name not in one:
        raise BundleError(
            f"trust input: key_history: a key of the {role} has role, {name} and {', '.join(_FORM)}"
        )
    if wrong := [member for member in _FORM if member in one and not _FORM[member](one[member])]:
        raise BundleError(
            f"trust input: key_history: {wrong[0]} of a key of the {role} is malformed"
        )
    since, until = one.get("valid_from", 0), one.get("valid_until")
    if until is not None and until < since:
        raise BundleError(f"trust input: key_history: a key of the {role} ends before it begins")
    by = one.get("anchored_by")
    if by is not None and until is None:
        # Else a revoked key would count for whatever comes.
        raise BundleError(
            f"trust input: key_history: a revoked key of the {role} has no valid_until"
        )
    return Bounded(str(role), one[name], Bounds(since, until, by and datetime.fromisoformat(by)))


def _written(one: Bounded) -> dict[str, Any]:
    bounds = one.bounds
    found = {"role": one.role, _MEMBER[one.role]: one.key, "valid_from": bounds.since}
    if bounds.until is not None:
        found["valid_until"] = bounds.until
    if bounds.anchored_by is not None:
        found["anchored_by"] = stamp(bounds.anchored_by)
    return found
