"""The verb act: plan, ask the guard, record, then touch the world."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from actions.action import Action, Lens, fields_of, name_of
from actions.engine import carry_out, changes, patient, plan
from actions.errors import (
    ActionError,
    NothingToDoError,
    StepChangedError,
    TargetGoneError,
    UnfitError,
)
from actions.journal import Intent, Plan
from actions.one_way import OneWay, do_once, foresee
from playbooks.case import asking, freezing, indicators, store, weighing
from playbooks.case.answers import Approval, Done, Failed, Refusal
from playbooks.case.glance import glance
from playbooks.case.guard import PROTECTED_TAG, Decision, Scope
from playbooks.case.joining import Turns
from playbooks.case.weighing import Outrun, Weighed
from playbooks.errors import FrozenError, RefusedError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playbooks.case.case import Case
    from playbooks.case.store import Hold


@dataclass(frozen=True, slots=True)
class Planned:
    """An act as it would be done: for dry runs and for approval."""

    step: str
    scope: Scope
    plan: Plan
    decision: Decision
    weighed: Weighed | None = None

    @property
    def destroys(self) -> bool:
        """Return whether the act destroys."""
        return self.weighed is not None and self.weighed.destroys


async def act(
    case: "Case",
    action: Action[Any],
    step: str,
    approval: Approval | Refusal | None,
    otherwise: str,
) -> Done | Failed:
    """Do the act once, or say why not. Raises Waiting, RefusedError, StoppedError, TargetGone."""
    intent = case.journal.find(step) if not case.dry else None
    try:
        if intent is not None and intent.phase == "done":
            return _was_done(action, intent)
        if not case.dry and (why := case.gate.frozen()):
            return await freezing.halted(case, action, step, why)
        fresh, just = intent is None, False
        turns = Turns(case, step, action.limit)
        while intent is None:
            seen = await turns.seen(action)
            planned = await prepare(case, action, step)
            if case.dry:
                case.planned.append(planned)
                return Done(step, "planned", was_so=_was_so(action, planned.plan))
            intent = await _intend(case, action, planned, approval, turns, seen)
            # Others' holds may have given it another plan than what was just read.
            just = intent is not None and intent.plan == planned.plan
        if not fresh and intent.phase == "intended" and isinstance(action, Lens):
            intent = await turns.again()
        return await _carry_out(case, action, intent, fresh, just)
    except FrozenError as error:
        return await freezing.halted(case, action, step, str(error))
    except TargetGoneError as error:
        if action.target == case.incident.place:
            # Where it is gone itself, this raises; a part of it may be gone all the same.
            await weighing.seen_of(case, action)
        return await failed(case, action, step, error, otherwise)
    except ActionError as error:
        return await failed(case, action, step, error, otherwise)


def _was_done(action: Action[Any], intent: Intent) -> Done:
    if (name_of(action), fields_of(action)) != (intent.action, dict(intent.fields)):
        raise StepChangedError(
            f"{intent.step} was done with other fields: {dict(intent.fields)!r}, and is now "
            f'{fields_of(action)!r}. Name a new step with again="...".'
        )
    was_so = _was_so(action, intent.plan)
    return Done(intent.step, intent.verdict or "", intent.result or {}, was_so)


def _was_so(action: Action[Any], plan: Plan) -> bool:
    return isinstance(action, Lens) and not changes(action, plan)


async def prepare(case: "Case", action: Action[Any], step: str) -> Planned:
    """Read the world and return what the act would do, and what the guard says to it."""
    provider: Any = glance(case.provider(action))
    if isinstance(action, Lens):
        found = await case.drive(patient(action, lambda: plan(action, provider)))
        keys = tuple(changes(action, found))
    elif isinstance(action, OneWay):
        found = await case.drive(patient(action, lambda: foresee(action, provider)))
        keys = ()
    else:
        raise TypeError(f"{type(action).__name__} is neither a lens nor one-way")
    scope = Scope(name_of(action), action.target, keys, found.lost)
    weighed = await weighing.weigh(case, action, scope, provider)
    decision = case.store.read(lambda conn: weighing.judged(case, conn, weighed))
    if case.dry and (why := case.gate.frozen()):
        decision = Decision("never", (why, *decision.why))
    return Planned(step, scope, found, decision, weighed)


async def _intend(
    case: "Case",
    action: Action[Any],
    planned: Planned,
    approval: Approval | Refusal | None,
    turns: Turns,
    seen: "Sequence[Hold]",
) -> Intent | None:
    """Record the intent, allowed by the guard or by a person; None where it is to be planned anew.

    Where other incidents reached a ceiling since the guard was asked, it is asked about after all.
    """
    weighed = planned.weighed
    if weighed is None:
        raise TypeError(f"{planned.step} was not weighed")
    while True:
        used = await _allowed(case, action, planned, approval)
        allowed = weighing.allowed(case, weighed, used)
        try:
            return await turns.intend(action, planned.plan, allowed, seen)
        except Outrun as outrun:
            planned = replace(planned, decision=outrun.decision)


async def _allowed(
    case: "Case", action: Action[Any], planned: Planned, approval: Approval | Refusal | None
) -> str | None:
    """Return the approval that is used up by this act, or None where none is needed."""
    if planned.decision.may == "never":
        why = "; ".join(planned.decision.why)
        refused(case, planned.step, why)
        raise RefusedError(f"{planned.step}: {why}")
    if planned.decision.may == "yes":
        return None
    if planned.weighed is not None and PROTECTED_TAG in planned.weighed.seen.tags:
        more = await indicators.of_protection(case)
        planned = replace(planned, decision=Decision("ask", (*planned.decision.why, *more)))
    return await asking.covered(case, planned, approval)


def refused(case: "Case", step: str, why: str) -> None:
    """Record that the guard refused a step."""
    body = {"step": step, "why": why}
    case.store.commit(lambda conn: case.record.note(conn, case.incident.id, "guard.refused", body))


async def _carry_out(
    case: "Case", action: Action[Any], intent: Intent, fresh: bool, just: bool
) -> Done:
    provider: Any = case.provider(action)
    if isinstance(action, OneWay):
        await case.quiet()
        approval = asking.answered(case, intent) if action.destroys else None
        steps = do_once(action, provider, case.journal, intent, fresh=fresh, approval=approval)
    elif isinstance(action, Lens):
        steps = carry_out(action, provider, case.journal, intent, just_planned=just)
    else:
        raise TypeError(f"{type(action).__name__} is neither a lens nor one-way")
    applied = await case.drive(steps)
    return Done(applied.step, applied.verdict, applied.after, _was_so(action, intent.plan))


async def failed(
    case: "Case", action: Action[Any], step: str, error: ActionError, otherwise: str
) -> Failed:
    """Record that the step failed, and do what the play wants then. Raises as `act` does."""
    if case.dry:
        case.planned.append(
            Planned(
                step,
                Scope(name_of(action), action.target, ()),
                Plan({}, {}, {}),
                Decision("never", (str(error),)),
            )
        )
        return Failed(step, str(error))
    known = case.journal.find(step)
    if known is not None and known.phase != "done":
        case.journal.failed(step, str(error))
    else:
        _left(case, step, error)
    if isinstance(error, UnfitError):
        return Failed(step, str(error))
    if otherwise == "stop":
        raise StoppedError(f"{step} failed and the play stops: {error}") from error
    if otherwise == "ask":
        await asking.go_on(case, step, str(error))
    return Failed(step, str(error))


def _left(case: "Case", step: str, error: ActionError) -> None:
    """Record a step that never came to be: it stays on the list of what is still open."""
    kind = "unfit" if isinstance(error, UnfitError) else "failed"
    left = "needless" if isinstance(error, NothingToDoError) else kind

    def work(conn: Connection) -> None:
        store.leave(conn, case.incident.id, step, {"kind": left, "error": str(error)})
        body = {"step": step, "error": str(error)}
        case.record.note(conn, case.incident.id, f"action.{kind}", body)

    case.store.commit(work)
