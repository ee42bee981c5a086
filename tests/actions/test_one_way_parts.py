"""An act that is too much for one call: done part by part, through crashes and failing parts."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.action import fields_of, name_of
from actions.engine import Applied, Steps
from actions.errors import NotEffectiveError, ProviderError, UnknowableError
from actions.journal import Json
from actions.one_way import OneWay, Underway, Unknowable, do_once, foresee
from tests.actions.driver import Clock, run
from tests.actions.memory_journal import MemoryJournal
from tests.actions.memory_world import MemoryWorld, WorldError

STEP = "empty/things"
PART = 3


@dataclass(frozen=True)
class EmptyThings(OneWay[MemoryWorld]):
    """Takes every value away, a few at a call."""

    @property
    def target(self) -> str:
        return "account/region/things"

    def do(self, p: MemoryWorld, mark: str, approval: str | None) -> None:
        for key in sorted(p.values)[:PART]:
            p.set(key, None)
            if key not in p.ignored:
                del p.values[key]

    def find(self, p: MemoryWorld, mark: str) -> Mapping[str, Json] | Unknowable | Underway | None:
        if p.hidden:
            return Unknowable("the trail is gone")
        return Underway(len(p.values)) if p.values else {"empty": True}


def enter(world: MemoryWorld, journal: MemoryJournal) -> Steps[Applied]:
    act = EmptyThings()
    known = journal.find(STEP)
    intent = known or journal.intend(STEP, name_of(act), fields_of(act), foresee(act, world))
    return do_once(act, world, journal, intent, fresh=known is None, approval="yes")


def full(size: int) -> MemoryWorld:
    return MemoryWorld({f"k{i:02}": i for i in range(size)})


@given(st.integers(0, 20))
def test_every_part_is_done_and_time_passes_between_them(size: int) -> None:
    world, journal = full(size), MemoryJournal()
    applied = run(enter(world, journal), world.tick)
    assert (world.values, applied.after, applied.verdict) == ({}, {"empty": True}, "verified")
    assert len(world.writes) == size
    parts = max(1, -(-size // PART))
    assert world.now == pytest.approx((parts - 1) * OneWay.pace + OneWay.apart)


def test_after_a_crash_anywhere_what_is_left_is_done_and_nothing_twice() -> None:
    world, journal = full(8), MemoryJournal()
    sweep = []
    world.on_change = lambda: sweep.append((journal.copy(), world.copy()))
    run(enter(world, journal), world.tick)
    assert len(sweep) == 8
    for disk, twin in sweep:
        run(enter(twin, disk), twin.tick)
        assert (twin.values, disk[STEP].phase) == ({}, "done")


@given(st.integers(1, 5))
def test_a_part_that_fails_is_done_again(times: int) -> None:
    world, journal = full(8), MemoryJournal()
    world.fails["k04"] = [
        WorldError("InternalError", passing=True, refused=False) for _ in range(times)
    ]
    run(enter(world, journal), world.tick)
    assert (world.values, journal[STEP].phase) == ({}, "done")


def test_what_never_gets_less_ends_at_the_limit_with_what_is_left() -> None:
    world, journal, clock = full(8), MemoryJournal(), Clock()
    world.ignored = {"k00", "k01", "k02"}
    with pytest.raises(NotEffectiveError, match="8 left"):
        run(enter(world, journal), clock)
    assert OneWay.limit <= clock.now <= OneWay.limit + 30
    assert clock.waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert journal[STEP].phase == "intended"


def test_an_error_that_does_not_end_is_told() -> None:
    world, journal = full(8), MemoryJournal()
    world.fails["k00"] = [
        WorldError("InternalError", passing=True, refused=False) for _ in range(1000)
    ]
    with pytest.raises(ProviderError, match="InternalError"):
        run(enter(world, journal), world.tick)
    assert len(world.values) == 8


def test_what_comes_up_again_once_it_was_empty_is_not_done() -> None:
    world, journal = full(2), MemoryJournal()

    def somebody_adds(seconds: float) -> None:
        world.tick(seconds)
        world.values["new"] = 1

    with pytest.raises(NotEffectiveError, match="1 left"):
        run(enter(world, journal), somebody_adds)
    assert journal[STEP].phase == "intended"
    run(enter(world, journal), world.tick)
    assert (world.values, journal[STEP].phase) == ({}, "done")


def test_what_cannot_be_known_between_two_parts_is_left_to_a_person() -> None:
    world, journal = full(8), MemoryJournal()

    def blind(seconds: float) -> None:
        world.tick(seconds)
        world.hidden = True

    with pytest.raises(UnknowableError):
        run(enter(world, journal), blind)
    assert len(world.values) == 8 - 2 * PART
