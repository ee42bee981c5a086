"""Several incidents may hold one thing in the world: each holder's wanted value, one base.

Pure: it is handed the live steps on a target, the oldest first, and returns what to record. What
two steps share is a cell (`Lens.cell`). Its holders are a stack in the order of their intents:

- The same act again, while it is the top, is a second holder of the same base and wanted value.
- Any other act stacks: what it found is what the one below wanted.
- A holder that goes writes a cell only from the top and alone. With a second holder beside it,
  nothing changes; with one above it, that one gets its base to give back instead.

So whichever goes last gives back what was found first, in any order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from actions.action import Lens, fields_of, name_of
from actions.catalogue import revive
from actions.engine import changes, half_way
from actions.errors import UnfitError
from actions.journal import Json, Plan
from playbooks.case.store import Hold

# How a plan says why a key is not given back by it.
HELD = "held by "


@dataclass(frozen=True, slots=True)
class Handed:
    """Another hold's new plan, and the keys of which it changes the base or the way to it."""

    hold: Hold
    plan: Plan
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Going:
    """What a hold that goes still writes back (`plan`), what others hold, and what they are handed.

    `held` maps each key that is not written to the incident that holds it from now on.
    """

    plan: Plan
    held: Mapping[str, str]
    handed: tuple[Handed, ...]


def sharing(lens: Lens[Any], keys: Mapping[str, Json], holds: Sequence[Hold]) -> list[Hold]:
    """Return the holds that share a cell with one of these keys of the lens."""
    return [h for h in holds if any(_shares(lens, key, h) for key in keys)]


def joined(lens: Lens[Any], found: Plan, holds: Sequence[Hold], incident: str) -> Plan:
    """Return the plan with which the act joins what is held already: as found, or as adopted.

    A key is adopted where the top of its stack is the same act of another incident, and holds
    what was found or wanted by it: then there is one base, whoever goes first.
    """
    before, wanted = dict(found.before), dict(found.wanted)
    passing, lost = dict(found.passing), list(found.lost)
    for key in found.wanted:
        top = next((h for h in reversed(holds) if _shares(lens, key, h)), None)
        if top is None or top.incident == incident or top.intent.phase == "undoing":
            continue
        theirs = top.intent.plan
        if not _same_act(lens, top) or not _known(lens, theirs, key, found.before.get(key)):
            continue
        before[key], wanted[key] = theirs.before.get(key), theirs.wanted[key]
        passing |= {key: theirs.passing[key]} if key in theirs.passing else {}
        lost += [text for text in theirs.lost if text not in lost]
        # What is declared for the way back alone belongs to the same base.
        before |= {k: v for k, v in theirs.before.items() if k not in theirs.wanted}
    return replace(found, before=before, wanted=wanted, passing=passing, lost=tuple(lost))


def going(mine: Hold, holds: Sequence[Hold]) -> Going:
    """Return what becomes of a hold that goes; `holds` are all on its target, itself too."""
    lens, plan = _lens(mine), mine.intent.plan
    held: dict[str, str] = {}
    handed = _Handing(lens)
    for key, value in plan.wanted.items():
        beside, above = _around(lens, key, mine, holds)
        if beside:
            held[key] = beside[0].incident
            handed.along(beside, key, plan.passing.get(key, ()))
        elif above:
            held[key] = above[0].incident
            # Anything else was put there by somebody else meanwhile, and is theirs to give back.
            handed.over(above, key, plan, value, plan.before.get(key))
    return Going(_without(plan, held), held, handed.all())


def owed(lens: Lens[Any], plan: Plan) -> list[str]:
    """Return the keys that undoing the plan may have to write, in the order they were written."""
    changed = changes(lens, plan)
    return [k for k in plan.wanted if k in changed or plan.passing.get(k)]


def left(mine: Hold, holds: Sequence[Hold], way: Going) -> list[Hold]:
    """Return the holds that are left when this one has gone that way."""
    plans = {one.hold.number: one.plan for one in way.handed}
    return [
        replace(h, intent=replace(h.intent, plan=plans.get(h.number, h.intent.plan)))
        for h in holds
        if h.number != mine.number
    ]


def under(mine: Hold, holds: Sequence[Hold]) -> Going:
    """Return what a hold that is entered again still writes, and what those above are handed.

    A key that another holds above is not written: its wanted value goes in beneath, to be found
    there when that other goes.
    """
    lens, plan = _lens(mine), mine.intent.plan
    held: dict[str, str] = {}
    passing = dict(plan.passing)
    handed = _Handing(lens)
    for key, value in plan.wanted.items():
        beside, above = _around(lens, key, mine, holds)
        if above:
            held[key] = above[0].incident
            handed.over(above, key, plan, plan.before.get(key), value)
        for values in filter(None, (h.intent.plan.passing.get(key) for h in beside)):
            passing[key] = _with(passing.get(key, ()), values)
    wanted = {k: v for k, v in plan.wanted.items() if k not in held}
    return Going(replace(plan, wanted=wanted, passing=passing), held, handed.all())


class _Handing:
    """Collects what other holds are to give back instead."""

    def __init__(self, lens: Lens[Any]) -> None:
        self.lens = lens
        self.plans: dict[int, Plan] = {}
        self.keys: dict[int, list[str]] = {}
        self.holds: dict[int, Hold] = {}

    def over(self, holds: Sequence[Hold], key: str, way: Plan, was: Json, base: Json) -> None:
        """Let these holds give back `base` where they would have given back `was`.

        So too what stands on the way of the plan beneath them: it had not come to its end there.
        """
        for hold in holds:
            plan = self.plans.get(hold.number, hold.intent.plan)
            now = plan.before.get(key)
            ours = self.lens.same(key, now, was) or half_way(self.lens, way, key, now)
            if not ours or now == base:
                continue
            passing = {**plan.passing}
            passing[key] = (*(v for v in passing.get(key, ()) if v != base), now)
            before = {**plan.before, key: base}
            self._put(hold, key, replace(plan, before=before, passing=passing))

    def along(self, holds: Sequence[Hold], key: str, values: tuple[Json, ...]) -> None:
        """Let these holds know values as which the key may stand yet, on the way to theirs."""
        for hold in holds:
            plan = self.plans.get(hold.number, hold.intent.plan)
            known = plan.passing.get(key, ())
            if (more := _with(known, values)) != known:
                self._put(hold, key, replace(plan, passing={**plan.passing, key: more}))

    def _put(self, hold: Hold, key: str, plan: Plan) -> None:
        self.plans[hold.number] = plan
        self.keys.setdefault(hold.number, []).append(key)
        self.holds[hold.number] = hold

    def all(self) -> tuple[Handed, ...]:
        """Return what was collected."""
        return tuple(
            Handed(self.holds[n], plan, tuple(self.keys[n])) for n, plan in self.plans.items()
        )


def _with(known: tuple[Json, ...], more: tuple[Json, ...]) -> tuple[Json, ...]:
    return (*known, *(v for v in more if v not in known))


def _around(
    lens: Lens[Any], key: str, mine: Hold, holds: Sequence[Hold]
) -> tuple[list[Hold], list[Hold]]:
    """Return who holds the key as one with this hold, and who right above it, as one."""
    layers: list[list[Hold]] = []
    for hold in holds:
        if hold.number != mine.number and not _shares(lens, key, hold):
            continue
        if layers and _twins(layers[-1][-1], hold, key):
            layers[-1].append(hold)
        else:
            layers.append([hold])
    place = next(i for i, layer in enumerate(layers) if mine.number in {h.number for h in layer})
    beside = [h for h in layers[place] if h.number != mine.number]
    return beside, layers[place + 1] if place + 1 < len(layers) else []


def lens_of(action: str, fields: Mapping[str, Json]) -> Lens[Any] | None:
    """Return the lens; None for a one-way act, or one that only another version knows."""
    try:
        found = revive(action, fields)
    except UnfitError:
        return None
    return found if isinstance(found, Lens) else None


def _lens(hold: Hold) -> Lens[Any]:
    lens = lens_of(hold.intent.action, hold.intent.fields)
    if lens is None:
        raise UnfitError(f"{hold.intent.step} holds nothing that this version can give back.")
    return lens


def _shares(lens: Lens[Any], key: str, other: Hold) -> bool:
    if key not in other.intent.plan.wanted:
        return False
    theirs = lens_of(other.intent.action, other.intent.fields)
    return theirs is not None and theirs.cell(key) == lens.cell(key)


def _same_act(lens: Lens[Any], other: Hold) -> bool:
    theirs = (other.intent.action, dict(other.intent.fields))
    return (name_of(lens), fields_of(lens)) == theirs


def _known(lens: Lens[Any], plan: Plan, key: str, value: Json) -> bool:
    """Return whether a value is one that the plan's own way leads over."""
    ends = (plan.before.get(key), plan.wanted[key])
    return any(lens.same(key, value, v) for v in ends) or half_way(lens, plan, key, value)


def _twins(one: Hold, other: Hold, key: str) -> bool:
    """Return whether two holds hold a key as one: the same act on the same base."""
    mine, theirs = one.intent, other.intent
    return (
        (mine.action, dict(mine.fields)) == (theirs.action, dict(theirs.fields))
        and mine.plan.before.get(key) == theirs.plan.before.get(key)
        and mine.plan.wanted.get(key) == theirs.plan.wanted.get(key)
        and "undoing" not in (mine.phase, theirs.phase)
    )


def _without(plan: Plan, held: Mapping[str, str]) -> Plan:
    """Return the plan without these keys: they are known still, and neither written nor awaited."""
    if not held:
        return plan
    declared = {k: "not given back alone" for k in plan.before if k not in plan.wanted}
    gone = {k: HELD + who for k, who in held.items()} | declared
    return replace(
        plan,
        before={k: v for k, v in plan.before.items() if k not in gone},
        wanted={k: v for k, v in plan.wanted.items() if k not in gone},
        unseen={**plan.unseen, **gone},
    )
