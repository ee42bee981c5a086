"""What makes a right worth a second look. Pure; all times are aware."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from playbooks.review.credential_report import ReportedKey
from playbooks.review.escalation import held, opened_by, ways
from playbooks.review.holding import Right
from playbooks.review.statements import Granted, Statement

ADMIN = "admin"
WILDCARD = "wildcard"
NO_MFA = "no MFA"
UNUSED = "unused"
OLD_KEY = "old key"
EXTERNAL = "external trust"
ESCALATES = "escalates"


@dataclass(frozen=True, slots=True)
class Ages:
    """From when on something counts as unused, or a key as old."""

    now: datetime
    unused: timedelta = timedelta(days=90)
    key: timedelta = timedelta(days=90)


def of_grant(right: Right, everything: Granted) -> tuple[str, ...]:
    """Return the flags of a right that grants: admin, wildcard, and the ways that it opens.

    A way that takes several rights together is named on each of them.
    """
    found = []
    if is_admin(right.granted):
        # Every way is open then; to name them would hide it.
        return (ADMIN,)
    if any(_is_wildcard(s) for s in right.grants):
        found.append(WILDCARD)
    mine = held(right.granted)
    opened = ways(mine) + (() if is_admin(everything) else opened_by(held(everything), mine))
    return (*found, *(f"{ESCALATES}: {name}" for name in dict.fromkeys(opened)))


def is_admin(granted: Granted) -> bool:
    """Return whether it may do anything to anything, or anything with IAM, which is the same."""
    return any(granted.may(action, "*") for action in ("*", "iam:*"))


def _is_wildcard(statement: Statement) -> bool:
    """Return whether a statement allows a whole service, or all but something, everywhere."""
    if not statement.allows or not statement.everywhere:
        return statement.allows and statement.but_resources is not None
    if statement.actions is None:
        return True
    return any(p == "*" or p.endswith(":*") for p in statement.actions)


def of_use(used: datetime | None, created: datetime, ages: Ages) -> tuple[str, ...]:
    """Return whether it is unused: not since 90 days, or never in the 90 days that it exists."""
    return (UNUSED,) if (used or created) < ages.now - ages.unused else ()


def of_key(key: ReportedKey, ages: Ages) -> tuple[str, ...]:
    """Return a key's flags."""
    if key.rotated is None:
        return ()
    old = (OLD_KEY,) if key.rotated < ages.now - ages.key else ()
    return (*old, *of_use(key.used, key.rotated, ages))


def joined(*flags: Iterable[str]) -> tuple[str, ...]:
    """Return the flags in order, each once."""
    return tuple(dict.fromkeys(one for some in flags for one in some))
