"""Between which moments an entry was recorded, as clocks outside the ledger have it.

A stamped checkpoint holds what was recorded before its token's time. The entry that notes a token
holds the token's digest, so what stands behind it was recorded after that time. With a quorum of
k, each bound is one that k authorities bear out: fewer than k false clocks cannot move it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Anchor:
    """One token: of whom, its aware time, the entries it covers, and the index that notes it."""

    authority: str
    time: datetime
    size: int
    noted: int | None


@dataclass(frozen=True, slots=True)
class Window:
    """The entry at `index` was recorded between the two; None where nothing tells."""

    index: int
    not_before: datetime | None
    not_after: datetime | None


def windows(anchors: Sequence[Anchor], indices: Iterable[int], quorum: int) -> list[Window]:
    """Return the window of each entry; `quorum` from 1 is how many authorities must agree."""
    return [_window(anchors, index, quorum) for index in indices]


def covering(anchors: Iterable[Anchor], index: int) -> set[str]:
    """Return the authorities that stamped a checkpoint with the entry at `index` in it."""
    return {anchor.authority for anchor in anchors if anchor.size > index}


def _window(anchors: Sequence[Anchor], index: int, quorum: int) -> Window:
    after: dict[str, datetime] = {}
    before: dict[str, datetime] = {}
    for anchor in anchors:
        name, time = anchor.authority, anchor.time
        if anchor.size > index:
            after[name] = min(time, after.get(name, time))
        if anchor.noted is not None and anchor.noted < index:
            before[name] = max(time, before.get(name, time))
    upper, lower = sorted(after.values()), sorted(before.values(), reverse=True)
    return Window(
        index,
        lower[quorum - 1] if len(lower) >= quorum else None,
        upper[quorum - 1] if len(upper) >= quorum else None,
    )
