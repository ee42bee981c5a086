"""Undoes what an incident did: planned, shown, guarded, approved by another person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from actions.action import Lens, Unseen
from actions.catalogue import revive
from actions.engine import calling, changes, patient, rollback
from actions.errors import ActionError
from actions.journal import Intent
from playbooks.case import acting, asking, holding, store, weighing
from playbooks.case.answers import Waiting
from playbooks.case.case import Case
from playbooks.case.guard import Facts, Scope, beyond, decide, touched
from playbooks.case.incident import Question
from playbooks.case.looking import look
from playbooks.case.story import standing
from playbooks.errors import RefusedError, UnknownIncidentError


@dataclass(frozen=True, slots=True)
class Undo:
    """One step's way back: key -> (now, as found), and what cannot be given back."""

    intent: Intent
    keys: Mapping[str, tuple[Any, Any]]
    scope: Scope
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one step's undoing; `why` is empty when every key is as it was found."""

    step: str
    why: str = ""


async def plan(case: Case, number: int | None = None) -> list[Undo]:
    """Return what undoing would change, last step first; with `number`, of that step alone."""
    undos = []
    for intent in reversed(_chosen(case, number)):
        lens = revive(intent.action, intent.fields)
        if intent.phase == "undone" or not isinstance(lens, Lens):
            continue
        todo = changes(lens, intent.plan)
        if not todo:
            continue
        aws = case.parts.aws(case.target.account, case.target.region)
        look = patient(lens, lambda lens=lens, aws=aws: calling(aws, lambda: lens.read(aws)))  # type: ignore[misc]
        now = await case.drive(look)
        keys = {k: (_said(now.get(k)), intent.plan.before.get(k)) for k in reversed(todo)}
        scope = Scope(f"rollback:{intent.action}", lens.target, tuple(todo))
        undos.append(Undo(intent, keys, scope, intent.plan.lost))
    return undos


def staying(case: Case, number: int | None = None) -> list[str]:
    """Return the steps that stay, for nothing undoes them: one-way acts, begun or done."""
    chosen = _chosen(case, number)
    return [i.step for i in chosen if not isinstance(revive(i.action, i.fields), Lens)]


def _chosen(case: Case, number: int | None) -> list[Intent]:
    rows = [intent for intent, _ in case.store.read(lambda c: store.steps(c, case.incident.id))]
    if number is None:
        return rows
    if not 1 <= number <= len(rows):
        raise UnknownIncidentError(f"{case.incident.id} has steps 1 to {len(rows)}.")
    return [rows[number - 1]]


def _said(value: Any) -> Any:
    return f"unseen: {value.reason}" if isinstance(value, Unseen) else value


async def undo(
    case: Case,
    undos: list[Undo],
    person: str,
    number: int | None,
    alive: Callable[[str], bool] = holding.alive,
) -> list[Undone]:
    """Undo what was approved, and use the approval up.

    Raises Waiting until another person than `person` said yes, RefusedError on a no or from the
    guard, BusyError while somebody works on the incident.
    """
    renewed = case.parts.pool is not None
    now = case.parts.now
    with holding.held(case.store, case.incident.id, alive, now, renewed=renewed) as mine:
        case = replace(case, store=mine)
        why = await _guard(case, undos)
        question = _approved(case, undos, person, number, why)
        ends = [await _undo(case, one) for one in undos]
        case.store.commit(lambda conn: _ended(case, conn, question, person, ends))
    return ends


def _approved(
    case: Case, undos: list[Undo], person: str, number: int | None, why: tuple[str, ...]
) -> Question:
    """Return the yes that covers all of it, or ask. A no stands until its question's end."""
    name = f"rollback/{number or 'all'}/{'+'.join(u.intent.step for u in undos)}"
    now = case.parts.now()
    for q in reversed(case.store.read(lambda conn: store.questions(conn, case.incident.id))):
        if now >= q.expires or not q.step.startswith("rollback/"):
            continue
        if q.state == "yes" and not any(beyond(u.scope, q.scopes) for u in undos):
            return q
        if q.state == "no" and q.step == name:
            raise RefusedError(
                f"rollback of {case.incident.id}: {q.approver} said no: {q.reason}. It can be "
                f"asked again after {q.expires.isoformat()}."
            )
    asker = replace(case, incident=replace(case.incident, requester=person))
    about = {"why": list(why), "rollback": case.incident.id}
    raise Waiting(asking.put(asker, name, [u.scope for u in undos], about).id)


def _ended(
    case: Case, conn: Connection, question: Question, person: str, ends: list[Undone]
) -> None:
    store.change_question(conn, question.id, state="used")
    rows = [intent for intent, _ in store.steps(conn, case.incident.id)]
    gone = not any(_standing(i) for i in rows)
    left = [e.step for e in ends if e.why]
    status = "rolled-back" if gone else standing(conn, case.incident.id)
    says = f"rolled back by {person}" + (f"; left: {', '.join(left)}" if left else "")
    store.set_status(conn, case.incident.id, status, says)
    body = {"by": person, "approved": question.id, "steps": {e.step: e.why for e in ends}}
    case.record.note(conn, case.incident.id, "rollback.ended", body, actor=person)


def _standing(intent: Intent) -> bool:
    lens = revive(intent.action, intent.fields)
    return intent.phase != "undone" and isinstance(lens, Lens) and bool(changes(lens, intent.plan))


async def _guard(case: Case, undos: list[Undo]) -> tuple[str, ...]:
    aws = case.parts.aws(case.target.account, case.target.region)
    why: list[str] = []
    for one in undos:
        lens = revive(one.intent.action, one.intent.fields)
        seen = await case.drive(patient(lens, lambda aim=one.scope.target: look(aws, aim)))  # type: ignore[misc]
        facts = Facts(
            scope=one.scope,
            touched=touched(case.target.account, one.scope.keys, one.scope.target) | seen.parts,
            destroys=False,
            undoes=True,
            hindrances=(),
            tags=seen.tags,
            targets=frozenset(),
        )
        decision = decide(facts, weighing.limits(case))
        if decision.may == "never":
            acting.refused(case, one.intent.step, "; ".join(decision.why))
            raise RefusedError(f"{one.intent.step}: {'; '.join(decision.why)}")
        why += [w for w in decision.why if w not in why]
    return tuple(why)


async def _undo(case: Case, one: Undo) -> Undone:
    lens = revive(one.intent.action, one.intent.fields)
    aws = case.parts.aws(case.target.account, case.target.region)
    try:
        await case.drive(rollback(lens, aws, case.journal, one.intent))  # type: ignore[arg-type]
    except ActionError as error:
        case.journal.failed(one.intent.step, str(error))
        return Undone(one.intent.step, str(error))
    return Undone(one.intent.step)
