"""What a release does to credentials: those of before stay denied until they run out.

What an attacker made, and credentials that were turned off, stay so: new ones are to be made.
"""

from datetime import datetime
from typing import Any

from actions.action import Lens
from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.narrow_instance_sessions import Sessions
from actions.engine import carry_out, changes, half_way, patient
from actions.engine import plan as planned
from actions.errors import ActionError, TargetGoneError
from actions.journal import Intent
from playbooks.case import holding_key, holds, residual_vault, store
from playbooks.case.case import Case
from playbooks.case.guard import Scope, target_of
from playbooks.case.joining import Turns
from playbooks.case.journal import Allowed
from playbooks.case.narrowing import NARROW, NARROWED_BY, Denial, bounds, left_of, narrow_of
from playbooks.case.store.steps import LIVE
from playbooks.case.undoing import Undo, Undone, undo_step
from playbooks.errors import UnknownIncidentError

# A credential that somebody else had is not turned on again: a new one is made.
STAYS_OFF = frozenset(
    {
        "deactivate_access_keys",
        "deactivate_service_credentials",
        "deactivate_signing_certificates",
        "deactivate_ssh_keys",
        # What could be read under an old version of a key stays refused.
        "raise_min_decryption",
    }
)
# What answers what an attacker made; the denial of a principal, where that is not the incident's.
COUNTERS = frozenset(
    {
        "disable_event_rule",
        "disable_trust_anchor",
        "remove_identity_provider",
        "revoke_trust",
        "stop_function",
    }
)


def stays(case: Case, intent: Intent) -> bool:
    """Return whether a release leaves the step as it is: shut for good, or lifted by time."""
    if intent.action in NARROW or intent.action in STAYS_OFF or intent.action in COUNTERS:
        return True
    if f"#{residual_vault.ROUND}" in intent.step:
        return True  # An answer to what somebody left in a Vault.
    own = holding_key.own(case)
    return intent.action == "deny_principal" and target_of(intent.step) != own


def narrowing(case: Case, undos: list[Undo]) -> list[tuple[Denial, Scope]]:
    """Return the denials among these that a release narrows before it undoes them.

    Not those that another incident holds too, as they go on whole; nor what was found so.
    """
    found = []
    for one in undos:
        lens = holds.lens_of(one.intent.action, one.intent.fields)
        if not isinstance(lens, DenyInstanceSessions | DenyPrincipal):
            continue
        todo = changes(lens, one.intent.plan)
        if not todo or _others(case, lens, one):
            continue
        name = NARROWED_BY[one.intent.action]
        found.append((lens, Scope(f"release:{name}", lens.target, tuple(todo))))
    return found


def _others(case: Case, lens: Lens[Any], one: Undo) -> bool:
    known = case.journal.held_on(lens.target)
    sharing = holds.sharing(lens, one.intent.plan.wanted, known)
    return any(h.incident != case.incident.id for h in sharing)


async def narrow(case: Case, undos: list[Undo], question: str) -> Undone | None:
    """Narrow each denial to the sessions issued before now; return what went wrong, if it did."""
    await case.quiet()
    for lens, scope in narrowing(case, undos):
        step = f"{scope.action.removeprefix('release:')}/{lens.target}#{question}"
        try:
            await _narrow(case, lens, scope.keys, step, question)
        except TargetGoneError:
            continue  # Without the role there are no sessions to deny.
        except ActionError as error:
            if case.journal.find(step):
                case.journal.failed(step, str(error))
            return Undone(step, str(error))
    return None


async def _narrow(
    case: Case, deny: Denial, keys: tuple[str, ...], step: str, question: str
) -> None:
    aws: Any = case.provider(deny)
    intent = case.journal.find(step)
    turns = Turns(case, step, deny.limit)
    while intent is None:
        mine = await _now(case, deny, keys)
        lens = narrow_of(deny, mine.now, keys)
        seen = await turns.seen(lens)
        found = await case.drive(patient(lens, lambda lens=lens: planned(lens, aws)))  # type: ignore[misc]
        if not _as_denied(case, deny, found.before):
            return  # Somebody else changed the policy: undoing the denial says so, and leaves it.
        intent = await turns.intend(lens, found, Allowed(question), seen)
    action = holds.lens_of(intent.action, intent.fields)
    if action is not None and intent.phase == "intended":
        again = await turns.again()
        await case.drive(carry_out(action, aws, case.journal, again))


def _as_denied(case: Case, deny: Denial, found: Any) -> bool:
    """Return whether the policy reads as the denial's step left it, found it or was to leave it."""
    rows = case.store.read(lambda conn: store.steps(conn, case.incident.id))
    plans = [
        i.plan
        for i, _ in rows
        if i.action in NARROWED_BY and target_of(i.step) == deny.target and i.phase in LIVE
    ]
    return all(
        any(
            deny.same(k, v, end) or half_way(deny, plan, k, v)
            for plan in plans
            for end in (plan.before.get(k), plan.wanted.get(k))
        )
        for k, v in found.items()
    )


async def _now(case: Case, lens: Lens[Any], keys: tuple[str, ...] = ()) -> Sessions:
    aws: Any = case.provider(lens)
    return await case.drive(patient(lens, lambda: bounds(aws, lens, keys)))


def narrowed(case: Case) -> list[Intent]:
    """Return the narrow denials of this incident that are in place, their denials being undone."""
    rows = [i for i, _ in case.store.read(lambda conn: store.steps(conn, case.incident.id))]
    whole = {target_of(i.step) for i in rows if i.action in NARROWED_BY and i.phase in LIVE}
    live = [i for i in rows if i.action in NARROW and i.phase in LIVE]
    return [i for i in live if target_of(i.step) not in whole]


async def over(case: Case, intent: Intent) -> datetime:
    """Return when the last session that a narrow denial stops has run out, by our timers' clock.

    Raises TargetGoneError when the role is gone, and its sessions with it.
    """
    lens = holds.lens_of(intent.action, intent.fields)
    if lens is None or intent.action not in NARROW:
        raise UnknownIncidentError(f"{intent.step} is no narrow denial.")
    return case.clock() + left_of(lens, await _now(case, lens))


async def lift(case: Case, intent: Intent) -> Undone | datetime:
    """Take a narrow denial away once its sessions have run out; else return when they will have."""
    lens = holds.lens_of(intent.action, intent.fields)
    try:
        ends = await over(case, intent)
    except TargetGoneError:
        ends = case.clock()
    if lens is not None and ends > case.clock():
        return ends
    return await undo_step(case, intent.step)
