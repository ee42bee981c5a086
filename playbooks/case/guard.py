"""Asked before every act: may this happen, must a person say so, or never?

Pure: it is handed the facts and returns a decision; it reads and writes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# A resource carrying this tag is never acted on without a person. Tags can make the guard
# stricter, never make it refuse: an attacker who can tag could otherwise shield a host.
PROTECTED_TAG = "stanch:protected"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an act would do: its class, its target, the keys it writes and what it loses."""

    action: str
    target: str
    keys: tuple[str, ...]
    lost: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        """Return the scope as JSON; an approval's digest is taken over it."""
        return {
            "action": self.action,
            "target": self.target,
            "keys": sorted(self.keys),
            "lost": sorted(self.lost),
        }


@dataclass(frozen=True, slots=True)
class Limits:
    """What the team has set. `own` and `protected` hold ids, ARNs or role names."""

    own: frozenset[str] = frozenset()
    protected: frozenset[str] = frozenset()
    ceiling: int = 5


@dataclass(frozen=True, slots=True)
class Crowd:
    """The other targets in one place, such as `service shop`, that were taken from before this one.

    Beyond `ceiling` targets within the settings' window, all incidents together, a person is asked.
    """

    place: str
    before: frozenset[str]
    ceiling: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guard must know of the act and its incident.

    `alone` names the target groups that no other target would serve once this one is out;
    `unread` says why that could not be told, if it could not.
    """

    scope: Scope
    touched: frozenset[str]
    destroys: bool
    undoes: bool
    hindrances: tuple[str, ...]
    tags: Mapping[str, str]
    targets: frozenset[str]
    crowds: tuple[Crowd, ...] = ()
    alone: tuple[str, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """`may` is yes, ask or never; `why` gives every reason."""

    may: str
    why: tuple[str, ...] = ()


def decide(facts: Facts, limits: Limits) -> Decision:
    """Return whether the act may happen by itself, after a person's yes, or never."""
    own = among(facts.touched, limits.own)
    if own:
        return Decision(
            "never",
            (f"{', '.join(own)} is Stanch's own role, host or storage; act on it by hand",),
        )
    why = list(facts.hindrances)
    held = among(facts.touched, limits.protected)
    if held:
        why.append(f"{', '.join(held)} is protected by the settings")
    if PROTECTED_TAG in facts.tags:
        why.append(f"the target is tagged {PROTECTED_TAG}")
    if len(facts.targets | {facts.scope.target}) > limits.ceiling:
        why.append(f"more than {limits.ceiling} targets in one incident")
    why += [
        f"more than {crowd.ceiling} targets of {crowd.place} in a short time, over all incidents"
        for crowd in facts.crowds
        if len(crowd.before - {facts.scope.target}) >= crowd.ceiling
    ]
    why += [f"no other target of {name} is healthy" for name in facts.alone]
    if facts.unread:
        why.append(f"whether another target is healthy could not be read: {facts.unread}")
    if facts.destroys:
        why.append("it destroys, and cannot be undone")
    if facts.undoes:
        why.append("undoing opens again what was closed")
    return Decision("ask", tuple(why)) if why else Decision("yes")


def place_of(target: str) -> str:
    """Return the account, or the Vault, of a target place/region/id."""
    return target.partition("/")[0]


def touched(account: str, keys: Iterable[str], target: str) -> frozenset[str]:
    """Return the ids an act touches: its target's and those in the keys it writes.

    A role is given as account:role/name besides, which `among` finds an ARN of any path by.
    """
    name = target.rpartition("/")[2]
    parts = {target, name, f"{account}:{name}", f"{account}:{target.split('/', 2)[2]}"}
    for key in keys:
        parts |= {key, *key.split("/")[1:], key.partition("/")[2]}
        kind, _, name = key.partition("/")
        if kind == "policy":
            parts.add(f"{account}:role/{name}")
        if key.startswith("arn:"):
            # A principal that the latch names, maybe of another account than the target's.
            parts.add(_plain(key))
    return frozenset(p for p in parts if p)


def target_of(step: str) -> str:
    """Return the target, account/region/id, that a step's key names."""
    return step.partition("/")[2].partition("#")[0]


def among(ids: frozenset[str], listed: frozenset[str]) -> list[str]:
    """Return which of those listed, ids or ARNs, are among the ids that `touched` gives."""
    return sorted(one for one in listed if one in ids or _plain(one) in ids)


def _plain(listed: str) -> str:
    """Return an ARN as account:role/name, or account:id; partition and path left out.

    A role's path is part of its ARN and not of its name (IAM User Guide, "IAM identifiers").
    """
    parts = listed.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return listed
    account, kind = parts[4], parts[5].partition("/")[0]
    name = parts[5].rpartition("/")[2]
    return f"{account}:role/{name}" if kind == "role" else f"{account}:{name}"


def beyond(scope: Scope, approved: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return how the act goes beyond what was approved; empty when it stays within.

    The digest covers class, target, keys and losses, not values: benign drift in a value is
    planned again within the same approval. An approval may name a class and target more than once,
    such as for each copy of a host's disks; it then covers all the keys that it names.
    """
    same = [s for s in approved if (s["action"], s["target"]) == (scope.action, scope.target)]
    if not same:
        return (f"{scope.action} on {scope.target} was not asked for",)
    keys, lost = ({x for one in same for x in one[member]} for member in ("keys", "lost"))
    more = [f"also writes {k}" for k in scope.keys if k not in keys]
    return (*more, *(f"also loses {x}" for x in scope.lost if x not in lost))
