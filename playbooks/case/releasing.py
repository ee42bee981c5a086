"""What a release does to a host's credentials: those of before stay denied until they run out."""

from datetime import datetime, timedelta
from typing import Any

from actions.action import Lens
from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.narrow_instance_sessions import (
    MARGIN,
    NarrowInstanceSessions,
    Sessions,
    cut_off,
    sessions,
)
from actions.engine import calling, carry_out, changes, half_way, patient
from actions.engine import plan as planned
from actions.errors import ActionError, TargetGoneError
from actions.journal import Intent
from playbooks.case import holds, store
from playbooks.case.case import Case
from playbooks.case.guard import Scope, target_of
from playbooks.case.joining import Turns
from playbooks.case.journal import Allowed
from playbooks.case.store.steps import LIVE
from playbooks.case.undoing import Undo, Undone, undo_step
from playbooks.errors import UnknownIncidentError

NAME = "narrow_instance_sessions"
DENIAL = "deny_instance_sessions"


def narrowing(case: Case, undos: list[Undo]) -> list[tuple[DenyInstanceSessions, Scope]]:
    """Return the denials among these that a release narrows before it undoes them.

    Not those that another incident holds too, as they go on whole; nor what was found so.
    """
    found = []
    for one in undos:
        lens = holds.lens_of(one.intent.action, one.intent.fields)
        todo = changes(lens, one.intent.plan) if isinstance(lens, DenyInstanceSessions) else {}
        if not isinstance(lens, DenyInstanceSessions) or not todo or _others(case, lens, one):
            continue
        found.append((lens, Scope(f"release:{NAME}", lens.target, tuple(todo))))
    return found


def _others(case: Case, lens: Lens[Any], one: Undo) -> bool:
    known = case.journal.held_on(lens.target)
    sharing = holds.sharing(lens, one.intent.plan.wanted, known)
    return any(h.incident != case.incident.id for h in sharing)


async def narrow(case: Case, undos: list[Undo], question: str) -> Undone | None:
    """Narrow each denial to the sessions issued before now; return what went wrong, if it did."""
    await case.quiet()
    for lens, scope in narrowing(case, undos):
        step = f"{NAME}/{lens.target}#{question}"
        roles = [key.removeprefix("policy/") for key in scope.keys]
        try:
            await _narrow(case, lens, roles, step, question)
        except TargetGoneError:
            continue  # Without the role there are no sessions to deny.
        except ActionError as error:
            if case.journal.find(step):
                case.journal.failed(step, str(error))
            return Undone(step, str(error))
    return None


async def _narrow(
    case: Case, deny: DenyInstanceSessions, roles: list[str], step: str, question: str
) -> None:
    aws: Any = case.provider(deny)
    intent = case.journal.find(step)
    turns = Turns(case, step, deny.limit)
    while intent is None:
        mine = await _now(case, deny, roles[0])
        lens = NarrowInstanceSessions(
            deny.host, cut_off(mine.now), tuple(roles), deny.name, deny.keep_ssm
        )
        seen = await turns.seen(lens)
        found = await case.drive(patient(lens, lambda lens=lens: planned(lens, aws)))  # type: ignore[misc]
        if not _as_denied(case, deny, found.before):
            return  # Somebody else changed the policy: undoing the denial says so, and leaves it.
        intent = await turns.intend(lens, found, Allowed(question), seen)
    action = holds.lens_of(intent.action, intent.fields)
    if action is not None and intent.phase == "intended":
        again = await turns.again()
        await case.drive(carry_out(action, aws, case.journal, again))


def _as_denied(case: Case, deny: DenyInstanceSessions, found: Any) -> bool:
    """Return whether the policy reads as the denial's step left it, found it or was to leave it."""
    rows = case.store.read(lambda conn: store.steps(conn, case.incident.id))
    plans = [i.plan for i, _ in rows if i.action == DENIAL and i.phase in LIVE]
    return all(
        any(
            deny.same(k, v, end) or half_way(deny, plan, k, v)
            for plan in plans
            for end in (plan.before.get(k), plan.wanted.get(k))
        )
        for k, v in found.items()
    )


async def _now(case: Case, lens: Lens[Any], role: str) -> Sessions:
    aws: Any = case.provider(lens)
    return await case.drive(patient(lens, lambda: calling(aws, lambda: sessions(aws, role))))


def narrowed(case: Case) -> list[Intent]:
    """Return the narrow denials of this incident that are in place, their denials being undone."""
    rows = [i for i, _ in case.store.read(lambda conn: store.steps(conn, case.incident.id))]
    whole = {target_of(i.step) for i in rows if i.action == DENIAL and i.phase in LIVE}
    live = [i for i in rows if i.action == NAME and i.phase in LIVE]
    return [i for i in live if target_of(i.step) not in whole]


async def over(case: Case, intent: Intent) -> datetime:
    """Return when the last session that a narrow denial stops has run out, by our timers' clock.

    Raises TargetGoneError when the role is gone, and its sessions with it.
    """
    lens = holds.lens_of(intent.action, intent.fields)
    if not isinstance(lens, NarrowInstanceSessions):
        raise UnknownIncidentError(f"{intent.step} is no narrow denial.")
    left = timedelta(0)
    for role in lens.roles:
        now = await _now(case, lens, role)
        ends = datetime.fromisoformat(lens.issued_before) + now.longest + MARGIN
        left = max(left, ends - now.now)
    return case.clock() + left


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
