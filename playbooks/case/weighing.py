"""Weighs an act: looks at its target, gathers what the guard must know, and asks the guard."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from actions.action import Action, Provider
from actions.engine import patient
from actions.errors import ProviderError
from actions.one_way import OneWay
from playbooks.case import crowding, store
from playbooks.case.guard import (
    Decision,
    Facts,
    Limits,
    Scope,
    decide,
    place_of,
    target_of,
    touched,
)
from playbooks.case.journal import Allowed
from playbooks.case.looking import Seen, is_host, look, service

if TYPE_CHECKING:
    from playbooks.case.case import Case
    from playbooks.wiring.settings import Settings

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Outrun(Exception):  # noqa: N818 - no failure: the act is asked about after all
    """Others were quicker: between the look and the intent a ceiling was reached."""

    def __init__(self, decision: Decision) -> None:
        super().__init__("; ".join(decision.why))
        self.decision = decision


@dataclass(frozen=True, slots=True)
class Weighed:
    """An act's facts but for what other incidents do, and where it takes what."""

    scope: Scope
    destroys: bool
    seen: Seen
    places: Mapping[str, Any]


async def weigh(case: "Case", action: Action[Any], scope: Scope, provider: Provider) -> Weighed:
    """Look at the target through this provider. Raise TargetGoneError, ProviderError."""
    seen = await seen_of(case, action, provider)
    places = crowding.places(action.target, action.takes, seen, case.parts.settings.guard)
    return Weighed(scope, isinstance(action, OneWay) and action.destroys, seen, places)


async def seen_of(case: "Case", action: Action[Any], provider: Provider | None = None) -> Seen:
    """Return what the guard sees of an act's target. Raise TargetGoneError, ProviderError."""
    provider = provider or case.provider(action)
    seen = await case.drive(patient(action, lambda: look(provider, action.target)))
    if action.takes != "service" or not is_host(action.target):
        return seen
    try:
        found = await case.drive(patient(action, lambda: service(provider, action.target)))
    except ProviderError as error:
        # Whether it is the last one nobody can tell then; a person is asked.
        return replace(seen, unread=f"{error.operation} {error.code}")
    return replace(seen, serving=found)


def judged(case: "Case", conn: Connection, weighed: Weighed) -> Decision:
    """Return what the guard says, by all that is recorded on this connection."""
    guard, target = case.parts.settings.guard, weighed.scope.target
    rows = crowding.recent(conn, guard, case.parts.now())
    facts = Facts(
        scope=weighed.scope,
        touched=touched(place_of(target), weighed.scope.keys, target)
        | weighed.seen.parts
        | _set_apart(case.parts.settings, target),
        destroys=weighed.destroys,
        undoes=False,
        hindrances=case.incident.hindrances,
        tags=weighed.seen.tags,
        targets=frozenset(target_of(i.step) for i, _ in store.steps(conn, case.incident.id)),
        crowds=crowding.crowds(rows, target, weighed.places, guard),
        alone=crowding.alone(rows, target, weighed.seen),
        unread=weighed.seen.unread,
    )
    return decide(facts, limits(case))


def allowed(case: "Case", weighed: Weighed, approval: str | None) -> Allowed:
    """Return by what an intent is allowed, which is looked at again where it is recorded.

    In that transaction each of many incidents at once sees those before it. It raises Outrun where
    the act may not happen by itself any more, and was not approved.
    """

    def unless(conn: Connection) -> None:
        if weighed.places["takes"] == "nothing":
            return
        store.lock(conn, crowding.LOCK)
        if approval is None and (decision := judged(case, conn, weighed)).may != "yes":
            raise Outrun(decision)

    return Allowed(approval, weighed.places, unless)


def limits(case: "Case") -> Limits:
    """Return the team's limits. What Stanch works under and on is its own, listed or not."""
    settings = case.parts.settings
    roles = {known.role for known in settings.accounts.values() if known.role}
    guard = settings.guard
    own = frozenset(guard.own) | roles | case.parts.own()
    own |= {f"{n}/vault/{p.strip('/')}" for n, v in settings.vaults.items() for p in v.prefixes}
    database = case.parts.engine.url.host
    if database and database not in LOOPBACK:
        own |= {database}
    return Limits(own, frozenset(guard.protected), guard.ceiling)


def _set_apart(settings: "Settings", target: str) -> frozenset[str]:
    """Return which prefixes of Stanch's own in a Vault a target is, covers or lies under."""
    place, _, path = target.split("/", 2)
    known = settings.vaults.get(place)
    at = f"{path.removeprefix('leases/')}/"
    prefixes = [p.strip("/") for p in known.prefixes] if known else []
    met = [p for p in prefixes if at.startswith(f"{p}/") or f"{p}/".startswith(at)]
    return frozenset(f"{place}/vault/{p}" for p in met)
