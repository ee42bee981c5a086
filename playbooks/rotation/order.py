"""In which order credentials are rotated when one leak touches many. Pure.

Whoever holds a credential that can change, or read, another one would undo that one's rotation:
so what can change goes first, and what it changes only once the old of it is off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from playbooks.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Credential:
    """A node of the graph, as `[rotation.credentials.NAME]` has it."""

    name: str
    kind: str
    target: str
    stored: str = ""
    consumers: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ("password",)


@dataclass(frozen=True, slots=True)
class Turn:
    """One credential to rotate, and why it is among them."""

    credential: Credential
    why: str

    def __str__(self) -> str:
        one = self.credential
        kept = f", kept in {one.stored}" if one.stored else ""
        readers = ", ".join(one.consumers) or "nobody that is declared"
        return f"{one.name}: {one.kind} {one.target}{kept}; read by {readers}; {self.why}"


Order = tuple[tuple[Turn, ...], ...]


def order(leaked: Iterable[str], known: Mapping[str, Credential]) -> Order:
    """Return what is to be rotated, in rounds: all of a round may go at once, the rounds in turn.

    What a leaked credential can change is taken to have leaked with it, and what that can change.
    Raises SettingsError for a name that is not known, and for credentials that can change each
    other: there is no order in which those are safe.
    """
    why = dict.fromkeys(leaked, "leaked")
    left = list(why)
    while left:
        holder = left.pop()
        for name in _of(holder, known).changes:
            if name not in why:
                why[name] = f"can be changed or read with {holder}"
                left.append(name)
    rounds: list[tuple[Turn, ...]] = []
    waiting = [name for name in known if name in why]
    while waiting:
        held = {name for one in waiting for name in known[one].changes if one != name}
        free = [name for name in waiting if name not in held]
        if not free:
            raise SettingsError(
                f"rotation: {' -> '.join(_cycle(waiting, known))} can change each other, so "
                "whoever holds one of them undoes the other's rotation. Deny their holder first "
                "(leaked-access-key, compromised-identity), and take one of these out of `changes` "
                "in [rotation.credentials] for the time being."
            )
        rounds.append(tuple(Turn(known[name], why[name]) for name in free))
        waiting = [name for name in waiting if name not in free]
    return tuple(rounds)


def leaked_with(target: str, known: Mapping[str, Credential]) -> tuple[str, ...]:
    """Return the names of what leaked with an incident's target place/region/id.

    That is what the target is, what is kept in it and, of a whole Vault, all that is in it.
    """
    whole = target.endswith(f"/vault/vault/{target.partition('/')[0]}")
    within = f"{target.partition('/')[0]}/vault/" if whole else None
    return tuple(
        name
        for name, one in known.items()
        if target in (one.target, one.stored)
        or (within and (one.target.startswith(within) or one.stored.startswith(within)))
    )


def lines(found: Order) -> tuple[str, ...]:
    """Return the order as text, one line a credential: for a dry run and for approval."""
    return tuple(f"{n}. {turn}" for n, turns in enumerate(found, 1) for turn in turns)


def _of(name: str, known: Mapping[str, Credential]) -> Credential:
    if name not in known:
        raise SettingsError(
            f"rotation: {name!r} is not among the credentials "
            f"({', '.join(known) or 'none so far'}). Add "
            f"[rotation.credentials.{name}] to stanch.toml."
        )
    return known[name]


def _cycle(waiting: list[str], known: Mapping[str, Credential]) -> list[str]:
    """Return one way round: each of those that wait is held by another that waits."""
    holder = {n: one for one in waiting for n in known[one].changes if n != one}
    path = [waiting[0]]
    while path[-1] not in path[:-1]:
        path.append(holder[path[-1]])
    return list(reversed(path[path.index(path[-1]) :]))
