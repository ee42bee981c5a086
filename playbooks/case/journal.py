"""One incident's write-ahead journal: each record is a row and a ledger entry in one commit."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from actions.errors import UnfitError
from actions.journal import Intent, Json, Plan
from evidence import ledger
from playbooks.case import holds, store
from playbooks.case.guard import target_of
from playbooks.case.record import Record
from playbooks.case.store import Hold, Store
from playbooks.case.store.steps import LIVE

# Phases in which a step is on its way from one value to another.
AT_WORK = ("intended", "undoing")


@dataclass(frozen=True, slots=True)
class Allowed:
    """By what an intent is allowed: the approval that it uses up, or None where none is needed.

    `places` says where it takes what, for ceilings. `unless` runs in the intent's transaction, and
    raises where the step is not to be recorded after all.
    """

    by: str | None = None
    places: Mapping[str, Json] = field(default_factory=dict)
    unless: Callable[[Connection], None] = lambda conn: None


BY_ITSELF = Allowed()


class Moved(Exception):  # noqa: N818 - not an error: the world is looked at again
    """Another incident changes, or has just changed, what was planned; `at` says who is at it."""

    def __init__(self, at: Sequence[Hold] = ()) -> None:
        self.at = tuple(at)
        who = ", ".join(sorted({h.incident for h in self.at})) or "another incident"
        super().__init__(f"{who} is changing the same thing right now")


@dataclass(frozen=True, slots=True)
class CaseJournal:
    """Implements `actions.journal.Journal` over the incident store."""

    store: Store
    record: Record
    incident: str
    play: str = ""

    def find_action(self, action: str) -> bool:
        """Return whether the incident has a step of this action."""
        rows = self.store.read(lambda conn: store.steps(conn, self.incident))
        return any(intent.action == action for intent, _ in rows)

    def find(self, step: str) -> Intent | None:
        return self.store.read(lambda conn: store.step(conn, self.incident, step))

    def held_on(self, target: str) -> list[Hold]:
        """Return the live steps of every incident on the target, the oldest first."""
        return self.store.read(lambda conn: self._holds(conn, target))

    def seen_on(self, target: str) -> list[Hold]:
        """Return all steps of every incident on the target, the oldest first, ended ones too.

        It is what `intend` must be told was seen before the world was read.
        """
        return self.store.read(lambda conn: self._holds(conn, target, ended=True))

    def intend(
        self,
        step: str,
        action: str,
        fields: Mapping[str, Json],
        plan: Plan,
        allowed: Allowed = BY_ITSELF,
        *,
        seen: Sequence[Hold] | None = None,
        patient: bool = False,
    ) -> Intent:
        """Record the step as about to happen, and the approval that it uses up, as one.

        What others hold already is joined: see `holds`. Raises Moved where what they do to it
        changed since it was `seen` (by `seen_on`), before the plan; if `patient`, also while they
        are at it.
        """

        def work(conn: Connection) -> Intent:
            allowed.unless(conn)
            joined = self._joined(conn, step, (action, fields), plan, seen, patient)
            # Two deployments may both have an INC-0001 in one account, and neither may take what
            # the other made for its own; a case's pseudonym is random.
            mark = f"{self.incident}:{step}@{ledger.pseudonym(conn, self.incident)}"
            intent = Intent(step, action, fields, joined, "intended", mark)
            store.add_step(
                conn, self.incident, intent, self.record.now(), allowed.by, allowed.places
            )
            body: dict[str, Any] = {"step": step, "action": action, "fields": dict(fields)}
            body |= {"plan": store.plan_json(joined), "mark": mark, "approval": allowed.by}
            self.record.note(conn, self.incident, "action.intent", body | {"play": self.play})
            # Carried out from what was found: what the first holder has done is read, not written.
            return replace(intent, plan=plan)

        return self.store.commit(work)

    def again(self, step: str, *, patient: bool = False) -> Intent:
        """Return a recorded step as it is to be carried out now, beneath what others put above it.

        Raises Moved, if `patient`, while another incident is at the same thing.
        """

        def work(conn: Connection) -> Intent:
            mine, others = self._mine(conn, step)
            if patient:
                self._must_be_quiet(mine, others)
            way = holds.under(mine, others)
            self._hand(conn, mine, way)
            return replace(mine.intent, plan=way.plan)

        return self.store.commit(work)

    def done(self, step: str, result: Mapping[str, Json], verdict: str) -> None:
        self._move(step, "action.done", "done", result=dict(result), verdict=verdict, error="")

    def going(self, step: str) -> holds.Going:
        """Return what undoing the step would write, and what others hold. Nothing is recorded."""
        return self.store.read(lambda conn: holds.going(*self._mine(conn, step)))

    def let_go(self, step: str, allowed: Collection[str] | None = None) -> Intent:
        """Record that the step is about to be undone, and return what of it is to be written.

        Keys that others hold are theirs from here on; a step of which they hold all is undone by
        that. Raises Moved while another incident is at the same thing, and UnfitError where a key
        is to be written that is not among those `allowed` (None: all), for its other holder went.
        """

        def work(conn: Connection) -> Intent:
            mine, others = self._mine(conn, step)
            self._must_be_quiet(mine, others)
            way = holds.going(mine, others)
            lens = holds.lens_of(mine.intent.action, mine.intent.fields)
            more = (
                [k for k in holds.owed(lens, way.plan) if k not in allowed]
                if allowed is not None and lens
                else []
            )
            if more:
                raise UnfitError(
                    f"{step}: nobody else holds {', '.join(more)} any more, so undoing it writes "
                    "more than was approved. Nothing of it was changed; ask anew."
                )
            self._hand(conn, mine, way)
            self._given_up(conn, mine, way)
            found = store.step(conn, self.incident, step)
            if found is None:
                raise LookupError(f"{step} of {self.incident} was found, and is gone")
            return found

        return self.store.commit(work)

    def undoing(self, step: str) -> None:
        """Record that the step is about to be undone, unless `let_go` has."""
        known = self.find(step)
        if known is None or known.phase not in ("undoing", "undone"):
            self._move(step, "action.undoing", "undoing", finished=None)

    def undone(self, step: str, result: Mapping[str, Json]) -> None:
        self._move(step, "action.undone", "undone", result=dict(result), error="")

    def failed(self, step: str, error: str) -> None:
        """Record that a recorded step could not be brought into effect; its phase stays."""

        def work(conn: Connection) -> None:
            store.change_step(conn, self.incident, step, error=error)
            self.record.note(conn, self.incident, "action.failed", {"step": step, "error": error})

        self.store.commit(work)

    def _move(self, step: str, kind: str, phase: str, **values: Any) -> None:
        self.store.commit(lambda conn: self._turn(conn, step, kind, phase, **values))

    def _turn(self, conn: Connection, step: str, kind: str, phase: str, **values: Any) -> None:
        row = {"finished": self.record.now().isoformat()} | values | {"phase": phase}
        store.change_step(conn, self.incident, step, **row)
        told = {k: v for k, v in values.items() if k in ("result", "verdict")}
        self.record.note(conn, self.incident, kind, {"step": step} | told)

    def _joined(
        self,
        conn: Connection,
        step: str,
        act: tuple[str, Mapping[str, Json]],
        plan: Plan,
        seen: Sequence[Hold] | None,
        patient: bool,
    ) -> Plan:
        lens = holds.lens_of(*act)
        if lens is None:
            return plan
        target = target_of(step)
        store.lock(conn, f"holds/{target}")
        there = self._holds(conn, target, ended=True)
        now = holds.sharing(lens, plan.wanted, _live(there))
        if seen is not None:
            before = holds.sharing(lens, plan.wanted, _live(seen))
            if (_moves(now), _ended(there)) != (_moves(before), _ended(seen)):
                raise Moved
            if patient and (at := _at_it(now, self.incident)):
                raise Moved(at)
        return holds.joined(lens, plan, now, self.incident)

    def _mine(self, conn: Connection, step: str) -> tuple[Hold, list[Hold]]:
        target = target_of(step)
        store.lock(conn, f"holds/{target}")
        found = self._holds(conn, target)
        mine = [h for h in found if (h.incident, h.intent.step) == (self.incident, step)]
        if not mine:
            raise LookupError(f"{step} of {self.incident} holds nothing")
        return mine[0], found

    def _holds(self, conn: Connection, target: str, *, ended: bool = False) -> list[Hold]:
        return store.holds(conn, target, store.clock(conn, self.record.now), ended=ended)

    def _must_be_quiet(self, mine: Hold, others: Sequence[Hold]) -> None:
        lens = holds.lens_of(mine.intent.action, mine.intent.fields)
        if lens and (
            at := _at_it(holds.sharing(lens, mine.intent.plan.wanted, others), self.incident)
        ):
            raise Moved(at)

    def _hand(self, conn: Connection, mine: Hold, way: holds.Going) -> None:
        """Record what other holds are to give back from now on, with both incidents."""
        for one in way.handed:
            store.change_plan(conn, one.hold, one.plan)
            body: dict[str, Any] = {"step": mine.intent.step, "from": self.incident}
            body |= {"to": one.hold.incident, "its step": one.hold.intent.step}
            body["before"] = {k: one.plan.before.get(k) for k in one.keys}
            for incident in sorted({self.incident, one.hold.incident}):
                self.record.note(conn, incident, "hold.handed-down", body)

    def _given_up(self, conn: Connection, mine: Hold, way: holds.Going) -> None:
        """Record that the step is being undone, or is undone where others hold all of it."""
        step = mine.intent.step
        if way.held:
            store.change_plan(conn, mine, way.plan)
            body = {"step": step, "held by": dict(way.held)}
            self.record.note(conn, self.incident, "hold.released", body)
        if way.held and not way.plan.wanted:
            result = {"held by": sorted(set(way.held.values()))}
            self._turn(conn, step, "action.undone", "undone", result=result, error="")
        elif mine.intent.phase != "undoing":
            self._turn(conn, step, "action.undoing", "undoing", finished=None)


def _live(found: Sequence[Hold]) -> list[Hold]:
    return [h for h in found if h.intent.phase in LIVE]


def _ended(found: Sequence[Hold]) -> set[int]:
    """Return the steps that hold nothing any more: who came and went may have written as well."""
    return {h.number for h in found if h.intent.phase not in LIVE}


def _moves(found: Sequence[Hold]) -> list[tuple[object, ...]]:
    """Return who holds what; of a step on its way also whose hands it is in, for they write."""
    return [
        (h.incident, h.intent.step, h.intent.phase)
        + ((h.busy, h.fence) if h.intent.phase in AT_WORK else ())
        for h in found
    ]


def _at_it(found: Sequence[Hold], incident: str) -> list[Hold]:
    """Return the holds that another incident is changing at this moment."""
    return [h for h in found if h.incident != incident and h.busy and h.intent.phase in AT_WORK]
