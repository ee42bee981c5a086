"""Which tokens of a revoked authority still count: those that others saw before it was revoked.

An authority's key may be stolen, and then claims any time. But the ledger's entry that notes a
token holds its digest; where other authorities stamped a ledger with that entry in it before, no
thief made the token. So each stamp renews those before it, as RFC 4998 does it with hash trees.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evidence.time_window import Anchor
from evidence.timestamp_revocation import RevokedError
from evidence.verify_report import Report


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A token that would hold, were its authority not revoked: its file, what it shows, and why."""

    path: str
    anchor: Anchor
    error: RevokedError


def renewed(
    anchors: Sequence[Anchor], doubtful: Iterable[Doubtful], quorum: int, report: Report
) -> tuple[list[Anchor], dict[str, str]]:
    """Return what doubtful tokens show nevertheless; and by authority, why others do not count.

    With its own, as many as the quorum must bear a token out. One that claims a time from after
    the revocation is reported as invalid.
    """
    found: list[Anchor] = []
    lost: dict[str, str] = {}
    for one in doubtful:
        index, since = one.anchor.noted, one.error.since
        others = {
            other.authority
            for other in anchors
            if index is not None and other.size > index and other.time < since
        }
        if one.anchor.time >= since:
            report.invalid(one.path, f"{one.anchor.authority}: {one.error}")
        elif len(others) >= max(quorum - 1, 1):
            found.append(one.anchor)
        else:
            lost[one.anchor.authority] = str(one.error)
    return found, lost
