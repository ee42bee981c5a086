"""Which requirement of an audit standard each part of a review answers. Pure.

What a requirement asks is put in our own words; the standards' texts are their publishers': AICPA
Trust Services Criteria (2017, revised 2022) for SOC 2, ISO/IEC 27001:2022 Annex A.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from playbooks.case.store.reviews import ReviewRow
from playbooks.review import flags
from playbooks.review.outcome import DONE, Outcome


@dataclass(frozen=True, slots=True)
class Control:
    """A requirement, what it asks, what answers it, and which rows bear on it."""

    id: str
    asks: str
    answered_by: str
    bears: Callable[[ReviewRow], bool]


def _privileged(row: ReviewRow) -> bool:
    """Return whether a right is more than ordinary."""
    wide = (flags.ADMIN, flags.WILDCARD, flags.ESCALATES)
    return any(flag.startswith(wide) for flag in row.flags)


def _taken(row: ReviewRow) -> bool:
    return row.decided is not None and row.decided.decision != "keep"


CONTROLS = (
    Control(
        "SOC 2 CC6.1",
        "access to information assets is restricted by logical means",
        "every principal and right as found, with what is wrong with it (as-found.csv)",
        lambda row: True,
    ),
    Control(
        "SOC 2 CC6.2",
        "credentials are withdrawn from those who are not to have them any more",
        "keys, passwords and assignments with their last use, and what was decided of each",
        lambda row: row.privilege.partition("/")[0] in ("key", "console", "assignment", "nothing"),
    ),
    Control(
        "SOC 2 CC6.3",
        "access is changed by need, least privilege and separated duties",
        "decisions signed by others than who holds or owns the right, allowed by a second person",
        _taken,
    ),
    Control(
        "ISO 27001 A.5.15",
        "rules for access exist and are kept to",
        "flags by fixed rules over every right (admin, wildcard, escalates, external trust)",
        lambda row: bool(row.flags),
    ),
    Control(
        "ISO 27001 A.5.18",
        "access rights are reviewed, changed and removed",
        "each decision with reason, signature, act, read-back and way back",
        lambda row: True,
    ),
    Control(
        "ISO 27001 A.8.2",
        "privileged access rights are restricted and managed",
        "all rights that are admin, wildcard or open a way to more",
        _privileged,
    ),
)


def answered(rows: Iterable[ReviewRow], outcomes: dict[str, Outcome]) -> list[dict[str, Any]]:
    """Return for each control how many rows bear on it, are decided, and were changed."""
    listed = list(rows)
    return [_answered(one, [r for r in listed if one.bears(r)], outcomes) for one in CONTROLS]


def _answered(one: Control, rows: list[ReviewRow], outcomes: dict[str, Outcome]) -> dict[str, Any]:
    return {
        "control": one.id,
        "asks": one.asks,
        "answered by": one.answered_by,
        "rows": len(rows),
        "decided": sum(r.decided is not None for r in rows),
        "changed and read back": sum(outcomes[r.id].state == DONE for r in rows),
    }
