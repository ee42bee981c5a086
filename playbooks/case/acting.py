"""The verb act: plan, ask the guard, record, then touch the world."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from actions.action import Action, Lens, fields_of, name_of
from actions.engine import carry_out, changes, plan
from actions.errors import (
    ActionError,
    ProviderError,
    TargetGoneError,
    UnfitError,
)
from actions.journal import Intent, Plan
from actions.one_way import OneWay, do_once, foresee
from playbooks.case import asking, store, tags
from playbooks.case.answers import Approval, Done, Failed, Refusal
from playbooks.case.guard import Decision, Facts, Limits, Scope, decide, touched
from playbooks.errors import RefusedError, StoppedError

if TYPE_CHECKING:
    from playbooks.case.case import Case


@dataclass(frozen=True, slots=True)
class Planned:
    """An act as it would be done: for dry runs and for approval."""

    step: str
    scope: Scope
    plan: Plan
    decision: Decision
    destroys: bool = False


async def act(
    case: "Case",
    action: Action[Any],
    step: str,
    approval: Approval | Refusal | None,
    otherwise: str,
) -> Done | Failed:
    """Do the act once, or say why not. Raises Waiting, RefusedError, StoppedError, TargetGone."""
    intent = case.journal.find(step) if not case.dry else None
    if intent is not None and intent.phase == "done":
        return Done(step, intent.verdict or "", intent.result or {})
    try:
        fresh = intent is None
        if intent is None:
            planned = await prepare(case, action, step)
            if case.dry:
                case.planned.append(planned)
                return Done(step, "planned")
            used = await _allowed(case, action, planned, approval)
            intent = case.journal.intend(
                step, name_of(action), fields_of(action), planned.plan, approval=used
            )
        return await _carry_out(case, action, intent, fresh)
    except TargetGoneError:
        raise
    except ActionError as error:
        return await _failed(case, action, step, error, otherwise)


async def prepare(case: "Case", action: Action[Any], step: str) -> Planned:
    """Read the world and return what the act would do, and what the guard says to it."""
    aws = case.parts.aws(case.target.account, case.target.region)
    if isinstance(action, Lens):
        found = await case.call(lambda: plan(action, aws))
        keys = tuple(changes(action, found))
    elif isinstance(action, OneWay):
        found = await case.call(lambda: foresee(action, aws))
        keys = ()
    else:
        raise TypeError(f"{type(action).__name__} is neither a lens nor one-way")
    scope = Scope(name_of(action), action.target, keys, found.lost)
    held = await case.call(lambda: tags.of(aws, case.target))
    destroys = isinstance(action, OneWay) and action.destroys
    decision = _decide(case, scope, destroys, held)
    return Planned(step, scope, found, decision, destroys)


def _decide(case: "Case", scope: Scope, destroys: bool, held: dict[str, str]) -> Decision:
    rows = case.store.read(lambda conn: store.steps(conn, case.incident.id))
    facts = Facts(
        scope=scope,
        touched=touched(case.target.account, scope.keys, scope.target),
        destroys=destroys,
        undoes=False,
        hindrances=case.incident.hindrances,
        tags=held,
        targets=frozenset(intent.step.partition("/")[2] for intent, _ in rows),
    )
    return decide(facts, limits(case))


def limits(case: "Case") -> Limits:
    """Return the team's limits."""
    guard = case.parts.settings.guard
    return Limits(frozenset(guard.own), frozenset(guard.protected), guard.ceiling)


async def _allowed(
    case: "Case", action: Action[Any], planned: Planned, approval: Approval | Refusal | None
) -> str | None:
    """Return the approval that is used up by this act, or None where none is needed."""
    if planned.decision.may == "never":
        why = "; ".join(planned.decision.why)

        def refused(conn: Connection) -> None:
            body = {"step": planned.step, "why": why}
            case.record.note(conn, case.incident.id, "guard.refused", body)

        case.store.commit(refused)
        raise RefusedError(f"{planned.step}: {why}")
    if planned.decision.may == "yes":
        return None
    return await asking.covered(case, planned, approval)


async def _carry_out(case: "Case", action: Action[Any], intent: Intent, fresh: bool) -> Done:
    aws = case.parts.aws(case.target.account, case.target.region)
    if isinstance(action, OneWay):
        approval = asking.answered(case, intent) if action.destroys else None
        steps = do_once(action, aws, case.journal, intent, fresh=fresh, approval=approval)
    elif isinstance(action, Lens):
        steps = carry_out(action, aws, case.journal, intent)
    else:
        raise TypeError(f"{type(action).__name__} is neither a lens nor one-way")
    applied = await case.drive(steps)
    return Done(applied.step, applied.verdict, applied.after)


async def _failed(
    case: "Case", action: Action[Any], step: str, error: ActionError, otherwise: str
) -> Failed:
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
    known = case.journal.find(step) is not None
    if known:
        case.journal.failed(step, str(error))
    else:
        kind = "action.unfit" if isinstance(error, UnfitError) else "action.failed"

        def note(conn: Connection) -> None:
            body = {"step": step, "error": str(error)}
            case.record.note(conn, case.incident.id, kind, body)

        case.store.commit(note)
    if otherwise == "stop" and not isinstance(error, UnfitError):
        raise StoppedError(f"{step} failed and the play stops: {error}") from error
    if otherwise == "ask" and isinstance(error, ProviderError):
        await asking.go_on(case, step, str(error))
    return Failed(step, str(error))
