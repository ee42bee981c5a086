"""Rotates all that one leak touches, in the order in which nobody can undo it."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from actions.journal import Plan
from playbooks.case import holding_key
from playbooks.case.acting import Planned
from playbooks.case.guard import Decision, Scope
from playbooks.errors import RefusedError
from playbooks.rotation import access_key, in_vault, password
from playbooks.rotation.order import Credential, Order, Turn, leaked_with, order

if TYPE_CHECKING:
    from playbooks.case.case import Case

Renew = Callable[["Case", Credential], Coroutine[Any, Any, bool]]
Clear = Callable[["Case", Credential], Coroutine[Any, Any, None]]
KINDS: dict[str, tuple[Renew, Clear]] = {
    "access_key": (access_key.renew, access_key.clear),
    "secret": (password.renew, password.clear),
    "database": (password.renew, password.clear),
    "vault_secret": (in_vault.renew_secret, in_vault.clear_secret),
    "vault_static_role": (in_vault.renew_static_role, in_vault.clear_static_role),
}


async def to_rotate(case: "Case") -> Order:
    """Return what leaked with the incident's target, in order; a dry run shows it.

    Raises RefusedError where no credential is declared for the target.
    """
    known = {
        name: Credential(name, **one.model_dump(exclude={"login"}))
        for name, one in case.parts.settings.rotation.credentials.items()
    }
    target = case.incident.place
    if case.incident.kind == "access_key":
        target = (await holding_key.holder(case)).key
    leaked = leaked_with(target, known)
    if not leaked:
        raise RefusedError(
            f"no credential is declared for {target}, so where a new one is to go, and who reads "
            "it there, is not known. Add [rotation.credentials.NAME] to stanch.toml, with its "
            "kind, target and stored, then: stanch resume"
        )
    found = order(leaked, known)
    if case.dry:
        case.planned += [_shown(n, t) for n, turns in enumerate(found, 1) for t in turns]
    return found


async def renew(case: "Case", found: Order) -> bool:
    """Rotate round by round; a round waits until all before it are through. Return whether all are.

    Raises Waiting, once all of a round has gone as far as it can.
    """
    for turns in found:
        through = await case.together(
            *(KINDS[t.credential.kind][0](case, t.credential) for t in turns)
        )
        if not all(through) and not case.dry:
            return False
    return True


async def clear(case: "Case", found: Order) -> None:
    """Ask for what of the old ones is to be destroyed, where it is due."""
    turns = [turn.credential for turns in found for turn in turns]
    await case.together(*(KINDS[one.kind][1](case, one) for one in turns))


def _shown(number: int, turn: Turn) -> Planned:
    scope = Scope("rotation", turn.credential.target, ())
    plan = Plan({}, {}, {}, blast=(f"{number}. {turn}",))
    return Planned(f"rotation/{turn.credential.name}", scope, plan, Decision("yes"))
