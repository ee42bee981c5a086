"""Undoes what an incident did: planned, shown, guarded, approved by another person."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from actions.action import Lens, Unseen
from actions.catalogue import revive
from actions.engine import calling, changes, rollback
from actions.errors import ActionError
from actions.journal import Intent
from playbooks.case import acting, asking, store, tags
from playbooks.case.answers import Refusal
from playbooks.case.case import Case
from playbooks.case.guard import Facts, Scope, beyond, decide, touched
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
    rows = [intent for intent, _ in case.store.read(lambda c: store.steps(c, case.incident.id))]
    if number is not None:
        if not 1 <= number <= len(rows):
            raise UnknownIncidentError(f"{case.incident.id} has steps 1 to {len(rows)}.")
        rows = [rows[number - 1]]
    undos = []
    for intent in reversed(rows):
        lens = revive(intent.action, intent.fields)
        if intent.phase == "undone" or not isinstance(lens, Lens):
            continue
        todo = changes(lens, intent.plan)
        if not todo:
            continue
        aws = case.parts.aws(case.target.account, case.target.region)
        now = await case.call(lambda lens=lens, aws=aws: calling(aws, lambda: lens.read(aws)))  # type: ignore[misc]
        keys = {k: (_said(now.get(k)), intent.plan.before.get(k)) for k in reversed(todo)}
        scope = Scope(f"rollback:{intent.action}", lens.target, tuple(todo))
        undos.append(Undo(intent, keys, scope, intent.plan.lost))
    return undos


def _said(value: Any) -> Any:
    return f"unseen: {value.reason}" if isinstance(value, Unseen) else value


async def undo(case: Case, undos: list[Undo], person: str, number: int | None) -> list[Undone]:
    """Undo what was approved. Raises Waiting until another person than `person` said yes."""
    asker = replace(case, incident=replace(case.incident, requester=person))
    why = await _guard(case, undos)
    name = f"rollback/{number or 'all'}/{'+'.join(u.intent.step for u in undos)}"
    scopes = [u.scope for u in undos]
    question = asking.put(asker, name, scopes, {"why": list(why), "rollback": case.incident.id})
    answer = asking.answer_to(case, question)
    if isinstance(answer, Refusal):
        raise RefusedError(f"rollback of {case.incident.id}: {answer.why}")
    for one in undos:
        if more := beyond(one.scope, question.scopes):
            raise RefusedError(f"{one.intent.step}: {'; '.join(more)}. Ask again.")
    ends = [await _undo(case, one) for one in undos]
    good = all(not e.why for e in ends)

    def work(conn: Connection) -> None:
        if good and number is None:
            store.set_status(conn, case.incident.id, "rolled-back")
        body = {"by": person, "approved": question.id, "steps": {e.step: e.why for e in ends}}
        case.record.note(conn, case.incident.id, "rollback.ended", body, actor=person)

    case.store.commit(work)
    return ends


async def _guard(case: Case, undos: list[Undo]) -> tuple[str, ...]:
    aws = case.parts.aws(case.target.account, case.target.region)
    held = await case.call(lambda: tags.of(aws, case.target))
    why: list[str] = []
    for one in undos:
        facts = Facts(
            scope=one.scope,
            touched=touched(case.target.account, one.scope.keys, one.scope.target),
            destroys=False,
            undoes=True,
            hindrances=(),
            tags=held,
            targets=frozenset(),
        )
        decision = decide(facts, acting.limits(case))
        if decision.may == "never":
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
