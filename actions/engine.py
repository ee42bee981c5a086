"""The engine: plan, apply, verify, roll back and recover any lens.

It never sleeps: each verb is a generator that yields every wait in seconds, and whoever drives it
waits (asyncio in a case, a fake clock in tests).
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from actions.action import Lens, P, Provider, Unseen, fields_of, name_of
from actions.errors import DriftError, NotEffectiveError, ProviderError, StepChangedError
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
        intent = journal.intend(step, name_of(lens), fields_of(lens), plan(lens, p))
    return (yield from carry_out(lens, p, journal, intent))


def carry_out(lens: Lens[P], p: P, journal: Journal, intent: Intent) -> Steps[Applied]:
    """Bring a recorded step into effect, first time or again.

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
    todo = changes(lens, intent.plan)
    drifted = _drift(lens, p, intent, todo)
    via = lens.via(before)
    if via and not drifted:
        yield from _write(lens, p, intent.step, via.values)
        yield via.dwell
    yield from _write(lens, p, intent.step, {k: wanted[k] for k in todo if k not in drifted})
    after, verdict = yield from _settle(lens, p, intent, wanted, drifted)
    if drifted:
        raise DriftError(intent.step, drifted)
    journal.done(intent.step, after, verdict)
    return Applied(intent.step, before, after, verdict)


def rollback(lens: Lens[P], p: P, journal: Journal, intent: Intent) -> Steps[Applied]:
    """Give each key back the value that was found, unless somebody else changed it since."""
    _same_fields(lens, intent)
    before = intent.plan.before
    if intent.phase == "undone":
        return Applied(intent.step, intent.plan.wanted, intent.result or {}, "verified")
    journal.undoing(intent.step)
    todo = changes(lens, intent.plan)
    drifted = _drift(lens, p, intent, todo)
    yield from _finish(lens, p, intent)
    back = {k: before.get(k) for k in reversed(todo) if k not in drifted}
    yield from _write(lens, p, intent.step, back)
    after, verdict = yield from _settle(lens, p, intent, before, drifted)
    if drifted:
        raise DriftError(intent.step, drifted)
    journal.undone(intent.step, after)
    return Applied(intent.step, intent.plan.wanted, after, verdict)


def finish(lens: Lens[P], p: P, intent: Intent) -> Steps[bool]:
    """Take keys that a crash left half-way on to the wanted value; return whether any was.

    For start-up: before plays, freezes or approvals. It leaves the step's phase as it is.
    """
    _same_fields(lens, intent)
    return (yield from _finish(lens, p, intent))


def _finish(lens: Lens[P], p: P, intent: Intent) -> Steps[bool]:
    now = calling(p, lambda: lens.read(p))
    half = {
        k: v
        for k, v in intent.plan.wanted.items()
        if k in now and _half_way(lens, intent.plan.before, k, now[k])
    }
    yield from _write(lens, p, intent.step, half)
    return bool(half)


def _same_fields(lens: Lens[Any], intent: Intent) -> None:
    if fields_of(lens) != dict(intent.fields) or name_of(lens) != intent.action:
        raise StepChangedError(
            f"{intent.step} was recorded as {intent.action} {dict(intent.fields)!r}, "
            f"and is now {name_of(lens)} {fields_of(lens)!r}. Name a new step, or ask."
        )


def _half_way(lens: Lens[Any], before: State, key: str, value: Json) -> bool:
    via = lens.via(before)
    values = [
        *lens.transit(before).get(key, ()),
        *([via.values[key]] if via and key in via.values else []),
    ]
    return any(lens.same(key, value, v) for v in values)


def _drift(
    lens: Lens[P], p: P, intent: Intent, todo: Mapping[str, tuple[Json, Json]]
) -> dict[str, tuple[Json, Json, Json]]:
    now = calling(p, lambda: lens.read(p))
    found = {}
    for key, (before, wanted) in todo.items():
        value = now.get(key)
        if isinstance(value, Unseen) or any(lens.same(key, value, v) for v in (before, wanted)):
            continue
        if not _half_way(lens, intent.plan.before, key, value):
            found[key] = (before, wanted, value)
    # A key that came into being since (an interface attached meanwhile) is nobody's plan.
    known = {*intent.plan.before, *intent.plan.unseen}
    return found | {k: (None, None, v) for k, v in now.items() if k not in known and v is not None}


def _write(lens: Lens[P], p: P, step: str, values: Mapping[str, Json]) -> Steps[None]:
    """Write each key; what fails does not hold up the others, and is tried again while passing."""
    left, waited, pause = dict(values), 0.0, 0.2
    while left:
        failed: dict[str, ProviderError] = {}
        for key, value in left.items():
            try:
                calling(p, lambda key=key, value=value: lens.write(p, key, value))  # type: ignore[misc]
            except ProviderError as error:
                failed[key] = error
        hopeless = [e for e in failed.values() if not e.passing]
        if hopeless or (failed and waited >= lens.limit):
            raise next(iter(hopeless or failed.values()))
        left = {k: left[k] for k in failed}
        if left:
            yield pause
            waited, pause = waited + pause, min(2 * pause, 5.0)


def _settle(
    lens: Lens[P], p: P, intent: Intent, meant: State, drifted: Mapping[str, Any]
) -> Steps[tuple[dict[str, Json], str]]:
    """Read until every key is as meant twice in a row, `apart` seconds between."""
    waited, agreed = 0.0, False
    while True:
        now = calling(p, lambda: lens.read(p))
        unseen = {k for k, v in now.items() if isinstance(v, Unseen)} | set(intent.plan.unseen)
        missing = tuple(
            k
            for k, v in meant.items()
            if k not in drifted and k not in unseen and not lens.same(k, now.get(k), v)
        )
        if agreed and not missing:
            after = {k: v for k, v in now.items() if k not in unseen}
            return after, "unverified" if unseen else "verified"
        if waited >= lens.limit and missing:
            raise NotEffectiveError(intent.step, missing)
        agreed = not missing
        yield lens.apart
        waited += lens.apart
