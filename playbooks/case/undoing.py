"""Undoes steps of an incident, the last first: planned, shown, guarded, each key by its holders."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from actions.action import Action, Lens, Unseen, fields_of, step_of
from actions.catalogue import revive
from actions.engine import calling, patient, rollback
from actions.errors import ActionError, TargetGoneError, UnfitError
from actions.journal import Intent
from playbooks.case import acting, freezing, holds, store, weighing
from playbooks.case.case import Case
from playbooks.case.guard import Facts, Scope, decide, place_of, target_of, touched
from playbooks.case.joining import Turns
from playbooks.case.looking import Seen, look
from playbooks.errors import FrozenError, RefusedError, UnknownIncidentError

if TYPE_CHECKING:
    from playbooks.case.store import Hold


@dataclass(frozen=True, slots=True)
class Undo:
    """One step's way back: key -> (now, as found), and what cannot be given back.

    `held` maps keys that are not written to the incident that holds them on; `gone` says why
    there is nothing to write to any more.
    """

    intent: Intent
    keys: Mapping[str, tuple[Any, Any]]
    scope: Scope
    lost: tuple[str, ...]
    held: Mapping[str, str] = field(default_factory=dict)
    gone: str = ""


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one step's undoing; `why` is empty unless something of it is left in place.

    `held` names the incidents that hold all of it on; `gone` says why nothing can come back.
    """

    step: str
    why: str = ""
    held: tuple[str, ...] = ()
    gone: str = ""


def _none(intent: Intent) -> bool:
    return False


async def plan(
    case: Case,
    number: int | None = None,
    *,
    verb: str = "rollback",
    without: Callable[[Intent], bool] = _none,
) -> list[Undo]:
    """Return what undoing would change, last step first; with `number`, of that step alone.

    Steps that `without` says are left as they are.
    """
    undos: list[Undo] = []
    there: dict[str, list[Hold]] = {}
    for intent in reversed(_chosen(case, number)):
        lens = holds.lens_of(intent.action, intent.fields)
        if intent.phase == "undone" or lens is None or without(intent):
            continue
        target = target_of(intent.step)
        known = there.setdefault(target, case.journal.held_on(target))
        mine = next(
            h for h in known if (h.incident, h.intent.step) == (case.incident.id, intent.step)
        )
        way = holds.going(mine, known)
        there[target] = holds.left(mine, known, way)
        undos.append(await _planned(case, lens, intent, way, verb))
    return undos


async def _planned(
    case: Case, lens: Lens[Any], intent: Intent, way: holds.Going, verb: str
) -> Undo:
    todo = holds.owed(lens, way.plan)
    scope = Scope(f"{verb}:{intent.action}", lens.target, tuple(todo))
    if not todo:
        return Undo(intent, {}, scope, (), way.held)
    provider = case.provider(lens)
    reading = lens.recalled(todo)
    try:
        now = await case.drive(
            patient(reading, lambda: calling(provider, lambda: reading.read(provider)))
        )
    except TargetGoneError as error:
        return Undo(intent, {}, scope, (), way.held, str(error))
    keys = {k: (_said(now.get(k)), way.plan.before.get(k)) for k in reversed(todo)}
    return Undo(intent, keys, scope, intent.plan.lost, way.held)


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


async def guarded(case: Case, acts: Sequence[tuple[Action[Any], Scope]]) -> tuple[str, ...]:
    """Return why a person must allow these ways back. Raise RefusedError where nobody can."""
    why: list[str] = []
    for action, scope in acts:
        seen = await _seen(case, action)
        facts = Facts(
            scope=scope,
            touched=touched(place_of(scope.target), scope.keys, scope.target) | seen.parts,
            destroys=False,
            undoes=True,
            hindrances=(),
            tags=seen.tags,
            targets=frozenset(),
        )
        decision = decide(facts, weighing.limits(case))
        if decision.may == "never":
            acting.refused(case, step_of(action), "; ".join(decision.why))
            raise RefusedError(f"{step_of(action)}: {'; '.join(decision.why)}")
        why += [w for w in decision.why if w not in why]
    return tuple(why)


def acts_of(undos: Sequence[Undo]) -> list[tuple[Action[Any], Scope]]:
    """Return what the guard is asked about."""
    return [(revive(one.intent.action, one.intent.fields), one.scope) for one in undos]


async def _seen(case: Case, action: Action[Any]) -> Seen:
    """Return what the guard sees of a target; of one that is gone, nothing hangs on it any more."""
    provider = case.provider(action)
    try:
        return await case.drive(patient(action, lambda: look(provider, action.target)))
    except TargetGoneError:
        return Seen({}, frozenset())


async def undo_step(case: Case, step: str, allowed: Collection[str] | None = None) -> Undone:
    """Undo one step, first time or again; raise FrozenError where a freeze stops it.

    No key is written that is not `allowed` (None: all): its other holder may just have gone.
    """
    known = case.journal.find(step)
    if known is None or known.phase == "undone":
        return Undone(step)
    lens = holds.lens_of(known.action, known.fields)
    if lens is None:
        raise UnfitError(f"{step} is one-way, and cannot be undone.")
    try:
        intent = await Turns(case, step, lens.limit).let_go(allowed)
        if intent.phase == "undone":
            return Undone(step, held=tuple((intent.result or {}).get("held by", ())))
        if not holds.owed(lens, intent.plan):
            case.journal.undone(step, {})
            return Undone(step)
        return await _undo(case, lens, intent)
    except FrozenError:
        # What is not undone stays as it is; what stands half-way does not.
        await freezing.forward(case, lens, known)
        raise
    except ActionError as error:
        case.journal.failed(step, str(error))
        return Undone(step, str(error))


async def _undo(case: Case, lens: Lens[Any], intent: Intent) -> Undone:
    provider = case.provider(lens)
    lens = lens.recalled(intent.plan.wanted)
    intent = replace(intent, fields=fields_of(lens))
    try:
        await case.drive(rollback(lens, provider, case.journal, intent))
    except TargetGoneError as error:
        try:
            # A part of it may be gone, such as an interface; the rest is still to be looked after.
            await case.drive(patient(lens, lambda: calling(provider, lambda: lens.read(provider))))
        except TargetGoneError:
            case.journal.undone(intent.step, {"gone": str(error)})
            return Undone(intent.step, gone=str(error))
        raise
    return Undone(intent.step)
