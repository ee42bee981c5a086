"""The engine: plan, apply, verify, roll back and recover any lens.

It never sleeps: each verb is a generator that yields every wait in seconds, and whoever drives it
waits (asyncio in a case, a fake clock in tests).
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from actions.action import Action, Lens, P, Provider, Unseen, fields_of, name_of
from actions.errors import (
    ActionError,
    DriftError,
    NotEffectiveError,
    ProviderError,
    StepChangedError,
)
from actions.journal import Intent, Journal, Json, Plan, State

T = TypeVar("T")
Steps = Generator[float, None, T]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a step. Verdict `verified`: all keys read as meant, twice, apart."""

    step: str
    before: State
    after: State
    verdict: str


def calling(p: Provider, do: Callable[[], T]) -> T:
    """Run a provider call; its errors come out as ours."""
    try:
        return do()
    except Exception as error:
        ours = p.translate(error)
        if ours is None:
            raise
        raise ours from error


def patient(action: Action[Any], do: Callable[[], T]) -> Steps[T]:
    """Run a call that only reads; a failure that passes is waited out for at most `limit` s."""
    waited, pause = 0.0, 0.2
    while True:
        try:
            return do()
        except ProviderError as error:
            if not error.passing or waited >= action.limit:
                raise
        yield pause
        waited, pause = waited + pause, min(2 * pause, 5.0)


def plan(lens: Lens[P], p: P) -> Plan:
    """Read the world and return what the action would change. This is the dry run."""
    seen = calling(p, lambda: lens.read(p))
    before = {k: v for k, v in seen.items() if not isinstance(v, Unseen)}
    wanted = dict(lens.wanted(before))
    foreseen = calling(p, lambda: lens.foresee(p, before))
    unseen = {k: v.reason for k, v in seen.items() if isinstance(v, Unseen)}
    return Plan(before, wanted, unseen, foreseen.blast, foreseen.lost)


def changes(lens: Lens[P], plan: Plan) -> dict[str, tuple[Json, Json]]:
    """Return key -> (before, wanted) for the keys that the plan would change, in order."""
    via = lens.via(plan.before)
    passing = via.values if via else {}
    return {
        k: (plan.before.get(k), v)
        for k, v in plan.wanted.items()
        if k in passing or not lens.same(k, plan.before.get(k), v)
    }


def apply(lens: Lens[P], p: P, journal: Journal, step: str) -> Steps[Applied]:
    """Plan, record and carry out; entering again continues, and a done step is left alone."""
    intent = journal.find(step)
    if intent is None:
        found = yield from patient(lens, lambda: plan(lens, p))
        intent = journal.intend(step, name_of(lens), fields_of(lens), found)
    return (yield from carry_out(lens, p, journal, intent))


def carry_out(
    lens: Lens[P], p: P, journal: Journal, intent: Intent, *, just_planned: bool = False
) -> Steps[Applied]:
    """Bring a recorded step into effect, first time or again.

    Where it was `just_planned`, what the plan read is not read once more before the first write.
    Raises DriftError, NotEffectiveError, StepChangedError or ProviderError; the step then stays
    intended, and can be entered again or rolled back.
    """
    _same_fields(lens, intent)
    if intent.phase == "done":
        return Applied(intent.step, intent.plan.before, intent.result or {}, intent.verdict or "")
    if intent.phase != "intended":
        raise StepChangedError(
            f"{intent.step} is {intent.phase}: it cannot be applied again under the same key. "
            'Name the reason with again="...".'
        )
    before, wanted = intent.plan.before, intent.plan.wanted
    drifted = {} if just_planned else _drift(lens, intent, (yield from _read(lens, p)))
    via, stuck = lens.via(before), None
    if via and not drifted:
        try:
            yield from _write(lens, p, via.values)
            yield from _settle(lens, p, intent, via.values, {})
            yield via.dwell
        except ActionError as error:
            stuck = error  # No key is left on the way: on to the wanted values, then say so.
    todo = {k: wanted[k] for k in changes(lens, intent.plan) if k not in drifted}
    yield from _write(lens, p, todo)
    if stuck:
        raise stuck
    after, unseen = yield from _settle(lens, p, intent, wanted, drifted)
    verdict = "unverified" if unseen else "verified"
    journal.done(intent.step, after, verdict)
    return Applied(intent.step, before, after, verdict)


def rollback(lens: Lens[P], p: P, journal: Journal, intent: Intent) -> Steps[Applied]:
    """Give each key back the value that was found, unless somebody else changed it since.

    A key that cannot be read is not written, for it may be somebody else's by now; the step then
    stays undoing and NotEffectiveError names the key.
    """
    _same_fields(lens, intent)
    before = intent.plan.before
    if intent.phase == "undone":
        return Applied(intent.step, intent.plan.wanted, intent.result or {}, "verified")
    journal.undoing(intent.step)
    now = yield from _read(lens, p)
    drifted = _drift(lens, intent, now)
    yield from _write(lens, p, _half(lens, intent, now))
    todo = changes(lens, intent.plan)
    hidden = {k for k in todo if isinstance(now.get(k), Unseen)}
    back = {k: before.get(k) for k in reversed(todo) if k not in drifted and k not in hidden}
    yield from _write(lens, p, back)
    after, unseen = yield from _settle(lens, p, intent, before, drifted)
    if blind := tuple(k for k in todo if k in unseen):
        raise NotEffectiveError(intent.step, blind)
    journal.undone(intent.step, after)
    return Applied(intent.step, intent.plan.wanted, after, "verified")


def finish(lens: Lens[P], p: P, intent: Intent) -> Steps[bool]:
    """Take keys that a crash left half-way on to the wanted value; return whether any was.

    For start-up: before plays, freezes or approvals. It leaves the step's phase as it is, and
    leaves a step alone that is done or undone.
    """
    _same_fields(lens, intent)
    if intent.phase in ("done", "undone"):
        return False
    # What was handed on is no danger, and may be what another wants: only ways are finished.
    way = replace(intent, plan=replace(intent.plan, passing={}))
    half = _half(lens, way, (yield from _read(lens, p)))
    yield from _write(lens, p, half)
    return bool(half)


def _same_fields(lens: Lens[Any], intent: Intent) -> None:
    if fields_of(lens) != dict(intent.fields) or name_of(lens) != intent.action:
        raise StepChangedError(
            f"{intent.step} was recorded as {intent.action} {dict(intent.fields)!r}, "
            f"and is now {name_of(lens)} {fields_of(lens)!r}. Name a new step, or ask."
        )


def _read(lens: Lens[P], p: P) -> Steps[Mapping[str, Json | Unseen]]:
    return (yield from patient(lens, lambda: calling(p, lambda: lens.read(p))))


def _half(lens: Lens[Any], intent: Intent, now: Mapping[str, Json | Unseen]) -> dict[str, Json]:
    """Return the wanted value of each key that stands on the way to it."""
    plan = intent.plan
    return {
        k: v
        for k, v in plan.wanted.items()
        if k in now and not isinstance(now[k], Unseen) and half_way(lens, plan, k, now[k])
    }


def half_way(lens: Lens[Any], plan: Plan, key: str, value: Json) -> bool:
    """Return whether a value is one that the key passes through, and is to be finished from."""
    via = lens.via(plan.before)
    values = [
        *lens.transit(plan.before).get(key, ()),
        *([via.values[key]] if via and key in via.values else []),
        *plan.passing.get(key, ()),
    ]
    return any(lens.same(key, value, v) for v in values)


def _drift(
    lens: Lens[Any], intent: Intent, now: Mapping[str, Json | Unseen]
) -> dict[str, tuple[Json, Json, Json]]:
    """Return key -> (before, wanted, now) for each key that is neither, nor on the way."""
    found = {}
    for key, wanted in intent.plan.wanted.items():
        before, value = intent.plan.before.get(key), now.get(key)
        if isinstance(value, Unseen) or any(lens.same(key, value, v) for v in (before, wanted)):
            continue
        if not half_way(lens, intent.plan, key, value):
            found[key] = (before, wanted, value)
    return found | _strange(intent, now)


def _strange(
    intent: Intent, now: Mapping[str, Json | Unseen]
) -> dict[str, tuple[Json, Json, Json]]:
    """Return keys that came into being since (an interface attached meanwhile): nobody's plan."""
    known = {*intent.plan.before, *intent.plan.wanted, *intent.plan.unseen}
    return {
        k: (None, None, f"unseen: {v.reason}" if isinstance(v, Unseen) else v)
        for k, v in now.items()
        if k not in known and v is not None
    }


def _write(lens: Lens[P], p: P, values: Mapping[str, Json]) -> Steps[None]:
    """Write each key; what fails does not hold up the others, and is tried again while passing."""
    left, waited, pause = dict(values), 0.0, 0.2
    while left:
        failed: dict[str, ActionError] = {}
        for key, value in left.items():
            try:
                calling(p, lambda key=key, value=value: lens.write(p, key, value))  # type: ignore[misc]
            except ActionError as error:
                failed[key] = error
        hopeless = [e for e in failed.values() if not isinstance(e, ProviderError) or not e.passing]
        if hopeless or (failed and waited >= lens.limit):
            raise next(iter(hopeless or failed.values()))
        left = {k: left[k] for k in failed}
        if left:
            yield pause
            waited, pause = waited + pause, min(2 * pause, 5.0)


def _settle(
    lens: Lens[P],
    p: P,
    intent: Intent,
    meant: State,
    drifted: Mapping[str, tuple[Json, Json, Json]],
) -> Steps[tuple[dict[str, Json], set[str]]]:
    """Read until every key is as meant twice in a row, `apart` seconds between.

    Returns the state read and the keys that one of the two reads could not see. Raises DriftError
    when keys had drifted, or a new one came up meanwhile.
    """
    waited, last = 0.0, None  # `last`: what the read before could not see, if it agreed
    while True:
        now = yield from _read(lens, p)
        unseen = {k for k, v in now.items() if isinstance(v, Unseen)} | set(intent.plan.unseen)
        missing = tuple(
            k
            for k, v in meant.items()
            if k not in drifted and k not in unseen and not lens.same(k, now.get(k), v)
        )
        if last is not None and not missing:
            if drifted := {**drifted, **_strange(intent, now)}:
                raise DriftError(intent.step, drifted)
            return {k: v for k, v in now.items() if k not in unseen}, unseen | last
        if waited >= lens.limit and missing:
            raise NotEffectiveError(intent.step, missing)
        last = None if missing else unseen
        yield lens.apart
        waited += lens.apart
