"""Which denial a release narrows by which act, and when what stays denied has run out."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from actions.action import Lens
from actions.aws.clients import Aws
from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.deny_role_sessions import DenyRoleSessions
from actions.aws.narrow_instance_sessions import (
    MARGIN,
    NarrowInstanceSessions,
    Sessions,
    cut_off,
    sessions,
)
from actions.aws.narrow_principal_sessions import NarrowPrincipalSessions, principal_sessions
from actions.engine import calling

Denial = DenyInstanceSessions | DenyPrincipal
# Denial -> the act that narrows it to the sessions of before.
NARROWED_BY = {
    "deny_instance_sessions": "narrow_instance_sessions",
    "deny_principal": "narrow_principal_sessions",
}
# In place of a denial, or narrow from the start: lifted once their sessions have run out.
NARROW = (*NARROWED_BY.values(), "deny_role_sessions")


def narrow_of(deny: Denial, now: datetime, keys: Iterable[str]) -> Lens[Any]:
    """Return the act that lets a denial of these keys hold for the sessions issued by `now`."""
    before = cut_off(now)
    if isinstance(deny, DenyInstanceSessions):
        roles = tuple(key.removeprefix("policy/") for key in keys)
        return NarrowInstanceSessions(deny.host, before, roles, deny.name, deny.keep_ssm)
    unique_id = deny.recalled(keys).unique_id
    return NarrowPrincipalSessions(deny.principal, before, deny.name, unique_id)


def bounds(aws: Aws, lens: Lens[Any], keys: Iterable[str] = ()) -> Sessions:
    """Return AWS's time now and how long a session lasts at most. Raise TargetGoneError."""
    return calling(aws, lambda: _bounds(aws, lens, keys))


def _bounds(aws: Aws, lens: Lens[Any], keys: Iterable[str]) -> Sessions:
    if isinstance(lens, DenyPrincipal | NarrowPrincipalSessions | DenyRoleSessions):
        return principal_sessions(aws, lens.principal)
    roles = [key.removeprefix("policy/") for key in keys] or list(getattr(lens, "roles", ()))
    found = [sessions(aws, role) for role in roles]
    return Sessions(min(f.now for f in found), max(f.longest for f in found))


def left_of(lens: Lens[Any], now: Sessions) -> timedelta:
    """Return how long the last session that a narrow denial stops may still live."""
    ends = datetime.fromisoformat(lens.issued_before)  # type: ignore[attr-defined]
    return max(timedelta(0), ends + now.longest + MARGIN - now.now)
