"""Incidents that hold the same things: each stands while it holds; the last gives the base back.

A small world of cells takes the place of AWS; the journal, the database and the engine are real.
A crash stops an entry for good before or after any write, with what was recorded until then.
"""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from actions import catalogue
from actions.action import Lens, fields_of, name_of, step_of
from actions.engine import carry_out, plan, rollback
from actions.errors import ProviderError
from actions.journal import Json, State
from evidence import ledger
from playbooks.case import holds, store
from playbooks.case.journal import CaseJournal, Moved
from playbooks.case.record import Record
from playbooks.case.store import Store
from tests.actions.driver import run
from tests.playbooks.case.test_store import db, file_db, opened

__all__ = ["db", "file_db"]

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
SALT = itertools.count()
RECORD = Record("stanch", lambda: AT, lambda n: next(SALT).to_bytes(32, "big"))
PLACES = itertools.count()
CELLS = ("a", "b")


class Died(BaseException):
    """The process is gone; nothing of it runs after this."""


@dataclass
class Cells:
    """A world of named cells. It dies at the write that `dies` says: before it, or after it."""

    values: dict[str, Json]
    dies: tuple[int, bool] | None = None
    wrote: int = 0

    def set(self, key: str, value: Json) -> None:
        self.wrote += 1
        at, after = self.dies or (0, False)
        if self.wrote == at and not after:
            raise Died
        self.values[key] = value
        if self.wrote == at:
            raise Died

    def translate(self, error: Exception) -> ProviderError | None:
        return None


@dataclass(frozen=True)
class SetCells(Lens[Cells]):
    """Gives cells these values."""

    place: str
    values: tuple[Any, ...]
    apart = 0.1
    limit = 1.0

    @property
    def target(self) -> str:
        return self.place

    def read(self, p: Cells) -> Mapping[str, Json]:
        return {key: p.values[key] for key, _ in self.values}

    def wanted(self, before: State) -> State:
        return dict(self.values)

    def write(self, p: Cells, key: str, value: Json) -> None:
        p.set(key, value)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the catalogue know this module's action, as a package with one file more would."""
    found = dict(catalogue.catalogue()) | {name_of(SetCells("", ())): SetCells}
    monkeypatch.setattr(catalogue, "catalogue", lambda: found)


@dataclass
class Site:
    """One place, some incidents on it, and who does what."""

    db: Store
    world: Cells
    place: str = ""
    base: dict[str, Json] = field(default_factory=dict)
    incidents: list[str] = field(default_factory=list)

    def journal(self, who: int) -> CaseJournal:
        return CaseJournal(self.db, RECORD, self.incidents[who], "p")

    def contain(self, who: int, values: tuple[Any, ...]) -> None:
        """Do the act, first time or again."""
        lens, journal = SetCells(self.place, values), self.journal(who)
        step = step_of(lens, str(hash(values)))
        intent = journal.find(step)
        if intent is None:
            seen = journal.seen_on(self.place)
            found = plan(lens, self.world)
            intent = journal.intend(
                step, name_of(lens), fields_of(lens), found, seen=seen, patient=True
            )
        elif intent.phase == "intended":
            intent = journal.again(step, patient=True)
        if intent.phase == "intended":
            run(carry_out(lens, self.world, journal, intent))

    def undo(self, who: int) -> None:
        """Undo all steps of the incident, the last first."""
        journal = self.journal(who)
        rows = self.db.read(lambda conn: store.steps(conn, self.incidents[who]))
        for step in [i.step for i, _ in reversed(rows) if i.phase != "undone"]:
            intent = journal.let_go(step)
            if intent.phase == "undone":
                continue
            lens = holds.lens_of(intent.action, intent.fields)
            assert lens is not None
            if holds.owed(lens, intent.plan):
                run(rollback(lens, self.world, journal, intent))
            else:
                journal.undone(step, {})

    def holds_law(self) -> None:
        """Each cell is as its topmost hold wants it, once that is in effect; unheld, as found."""
        live = self.journal(0).held_on(self.place)
        for cell in CELLS:
            held = [h for h in live if cell in h.intent.plan.wanted]
            if not held:
                assert self.world.values[cell] == self.base[cell], f"{cell} is not as it was found"
            elif held[-1].intent.phase == "done":
                wanted = held[-1].intent.plan.wanted[cell]
                assert self.world.values[cell] == wanted, f"{cell} is held, and not as wanted"


def site(db: Store, base: dict[str, Json], count: int = 3) -> Site:
    place = f"111122223333/eu-west-1/i-{next(PLACES)}"
    made = [opened(db, target={"id": place}).id for _ in range(count)]
    return Site(db, Cells(dict(base)), place, dict(base), made)


EXAMPLES = 1000 if os.environ.get("STANCH_CRASH") == "full" else 80
UNSET: dict[str, Json] = dict.fromkeys(CELLS)
VALUES = st.sampled_from([None, 0, 1])
ACTS = [
    (("a", 0),),
    (("a", 1), ("b", 1)),
    (("b", 0), ("a", 0)),
]
BEFORE = (1, False)
# Of two that hold a cell as one, the one that knows where it stands goes first.
KNOWING = [(1, ACTS[1], BEFORE), (2, ACTS[0], None), (0, ACTS[1], BEFORE), (2, None, None)]
# What was handed on before it was written, another finds, and takes it for the base.
UNWRITTEN = [(0, ACTS[0], None), (1, ACTS[1], BEFORE), (0, None, None), (0, ACTS[2], None)]
DEATHS = st.none() | st.tuples(st.integers(1, 4), st.booleans())
MOVES = st.tuples(st.integers(0, 2), st.none() | st.sampled_from(ACTS), DEATHS)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    base=st.fixed_dictionaries(dict.fromkeys(CELLS, VALUES)),
    moves=st.lists(MOVES, max_size=9),
    order=st.permutations([0, 1, 2]),
)
@example(base=UNSET, moves=KNOWING, order=[0, 1, 2])
@example(base=UNSET, moves=[*KNOWING, (1, ACTS[1], None)], order=[0, 1, 2])
@example(base=UNSET, moves=UNWRITTEN, order=[1, 0, 2])
@example(base=UNSET, moves=[*UNWRITTEN, (1, ACTS[1], None)], order=[0, 1, 2])
def test_any_order_of_holding_and_releasing_with_any_crash_ends_as_it_was_found(
    file_db: Store, base: dict[str, Json], moves: list[Any], order: list[int]
) -> None:
    here = site(file_db, base)
    for who, values, dies in [*moves, *((one, None, None) for one in order)]:
        note(f"{here.incidents[who]} {values or 'undo'} {dies}: {here.world.values}")
        here.world.dies, here.world.wrote = dies, 0
        try:
            here.undo(who) if values is None else here.contain(who, values)
        except Died:
            continue
        here.holds_law()
    note(str(here.world.values))
    assert here.world.values == base
    assert here.journal(0).held_on(here.place) == []


def both(here: Site, one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    here.contain(0, one)
    here.contain(1, other)


@pytest.mark.parametrize("first", [0, 1])
def test_the_same_act_of_two_incidents_is_written_once_and_given_back_once(
    file_db: Store, first: int
) -> None:
    here = site(file_db, {"a": None, "b": None})
    both(here, ACTS[1], ACTS[1])
    assert here.world.wrote == 2
    here.undo(first)
    assert here.world.wrote == 2
    (given_up,) = [i for i, _ in steps(here, first)]
    assert (given_up.phase, given_up.result) == ("undone", {"held by": [here.incidents[1 - first]]})
    assert kinds(here, first)[-2:] == ["hold.released", "action.undone"]
    here.undo(1 - first)
    assert here.world.values == here.base


@pytest.mark.parametrize("first", [0, 1])
def test_another_act_stacks_and_either_goes_first(file_db: Store, first: int) -> None:
    here = site(file_db, {"a": None, "b": None})
    both(here, (("a", 0),), (("a", 1),))
    here.undo(first)
    assert here.world.values["a"] == (1 if first == 0 else 0)
    handed = [kinds(here, who).count("hold.handed-down") for who in (0, 1)]
    assert handed == ([1, 1] if first == 0 else [0, 0])
    here.undo(1 - first)
    assert here.world.values == here.base


def test_what_somebody_else_put_between_two_holds_is_theirs(file_db: Store) -> None:
    here = site(file_db, {"a": None, "b": None})
    here.contain(0, (("a", 0),))
    here.world.values["a"] = "theirs"
    here.contain(1, (("a", 1),))
    here.undo(0)
    here.undo(1)
    assert here.world.values["a"] == "theirs"


def test_nobody_joins_or_leaves_while_another_is_at_it(db: Store) -> None:
    """It is told who is, and tries again when that one is done or its lease has run out."""
    here = site(db, {"a": None, "b": None})
    half_way(here, 0, ACTS[1])
    enter(here, 0)
    with pytest.raises(Moved) as moved:
        here.contain(1, ACTS[0])
    assert [h.incident for h in moved.value.at] == [here.incidents[0]]
    enter(here, 0, ago=store.LEASE + timedelta(seconds=1))
    assert not any(h.busy for h in here.journal(1).held_on(here.place))


def half_way(here: Site, who: int, values: tuple[Any, ...], *, wrote: bool = True) -> None:
    """Do the act as far as its first write, first time or again."""
    here.world.dies, here.world.wrote = (1, wrote), 0
    with pytest.raises(Died):
        here.contain(who, values)
    here.world.dies = None


def enter(here: Site, who: int, ago: timedelta = timedelta(0)) -> store.Lease:
    """Take the incident's lease, by the clock of leases."""

    def take(conn: Connection) -> store.Lease | str:
        now = store.clock(conn, lambda: AT) - ago
        return store.take(conn, here.incidents[who], f"h:{who}:1:1", alive, now)

    taken = here.db.commit(take)
    assert isinstance(taken, store.Lease)
    return taken


def leave(here: Site, taken: store.Lease) -> None:
    here.db.commit(lambda conn: store.let_go(conn, taken))


def come(here: Site) -> None:
    here.contain(0, (("a", 0),))


def come_and_go(here: Site) -> None:
    come(here)
    here.undo(0)


def come_and_go_under_another(here: Site) -> None:
    """The first that goes leaves what it held to the other."""
    both(here, (("a", 0),), (("a", 0),))
    here.undo(0)
    here.undo(1)


def fail_again(here: Site) -> None:
    taken = enter(here, 0)
    half_way(here, 0, (("a", 0),))
    leave(here, taken)


@pytest.mark.parametrize("meanwhile", [come, come_and_go, come_and_go_under_another, fail_again])
def test_what_changed_since_it_was_seen_is_planned_anew(
    file_db: Store, meanwhile: Callable[[Site], None]
) -> None:
    """Also where it stands as it stood: what was read in between was another's to give back."""
    here = site(file_db, {"a": None, "b": None})
    if meanwhile is fail_again:
        half_way(here, 0, (("a", 0),), wrote=False)
    lens, journal = SetCells(here.place, (("a", 1),)), here.journal(2)
    step, act = step_of(lens), (name_of(lens), fields_of(lens))
    seen, found = journal.seen_on(here.place), plan(lens, here.world)
    meanwhile(here)
    with pytest.raises(Moved):
        journal.intend(step, *act, found, seen=seen)
    seen = journal.seen_on(here.place)
    assert journal.intend(step, *act, found, seen=seen).step == step


def test_whoever_was_at_it_when_it_was_seen_may_have_written_since(file_db: Store) -> None:
    here = site(file_db, {"a": None, "b": None})
    half_way(here, 0, (("a", 0),), wrote=False)
    taken = enter(here, 0)
    lens, journal = SetCells(here.place, (("a", 1),)), here.journal(1)
    seen, found = journal.seen_on(here.place), plan(lens, here.world)
    half_way(here, 0, (("a", 0),))
    leave(here, taken)
    with pytest.raises(Moved):
        journal.intend(step_of(lens), name_of(lens), fields_of(lens), found, seen=seen)


def test_many_at_once_hold_and_release_as_one_after_the_other(db: Store) -> None:
    """On either database: what is read to decide stays so until the commit."""
    here = site(db, {"a": None, "b": None}, 6)
    start = threading.Barrier(6)

    def one(who: int) -> None:
        taken = enter(here, who)
        start.wait()
        until_done(lambda: here.contain(who, ACTS[who % 3]))
        until_done(lambda: here.undo(who))
        leave(here, taken)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one, range(6)))
    assert here.world.values == here.base
    assert here.journal(0).held_on(here.place) == []
    assert sum(kinds(here, who).count("action.intent") for who in range(6)) == 6


def alive(holder: str) -> bool:
    return True


def until_done(work: Callable[[], None]) -> None:
    """Do it, and again while another incident is at the same thing."""
    while True:
        try:
            return work()
        except Moved:
            time.sleep(0.002)


def test_holds_on_another_target_are_nobodys_business(file_db: Store) -> None:
    one, other = (site(file_db, {"a": None, "b": None}) for _ in range(2))
    one.contain(0, ACTS[1])
    other.contain(0, ACTS[1])
    assert other.world.wrote == 2
    one.undo(0)
    assert one.world.values == one.base
    assert other.world.values == {"a": 1, "b": 1}


def steps(here: Site, who: int) -> Iterator[Any]:
    yield from here.db.read(lambda conn: store.steps(conn, here.incidents[who]))


def kinds(here: Site, who: int) -> list[str]:
    found = here.db.read(lambda conn: list(ledger.entries(conn, here.incidents[who])))
    return [e.leaf.kind for e in found]
