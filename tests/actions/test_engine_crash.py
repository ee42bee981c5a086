"""A crash at any point, then another try: one effect is left, and none is unrecorded.

A crash point is the pair (disk, world). The verb runs once and the pair is copied whenever either
changes; a new process is a new generator over the copies. Nothing is raised to stand for a crash,
since an exception would run what a crash does not.
"""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.engine import Applied, Steps, apply, finish, rollback
from tests.actions.driver import Clock, run
from tests.actions.memory_journal import MemoryJournal
from tests.actions.memory_world import MemoryWorld, SetKeys

STEP = "set/thing"
Pair = tuple[MemoryJournal, MemoryWorld]
Verb = Callable[[SetKeys, MemoryWorld, MemoryJournal], Steps[Applied]]
BEFORE = {"a": 1, "b": None, "c": [1], "d": 4}
LENSES = st.builds(
    SetKeys,
    st.permutations([("a", 9), ("b", {"in": []}), ("c", None), ("d", 4)]).map(tuple),
    st.sampled_from([(), (("b", "allow-all"),), (("a", "half"), ("b", "allow-all"))]),
    st.sampled_from([(), (("a", "via"), ("c", "via"))]),
)


def again(lens: SetKeys, world: MemoryWorld, journal: MemoryJournal) -> Steps[Applied]:
    return apply(lens, world, journal, STEP)


def back(lens: SetKeys, world: MemoryWorld, journal: MemoryJournal) -> Steps[Applied]:
    return rollback(lens, world, journal, journal[STEP])


def points(verb: Verb, lens: SetKeys, journal: MemoryJournal, world: MemoryWorld) -> list[Pair]:
    """Run the verb and return the pair before it, and after each change of disk or world."""
    found: list[Pair] = [(journal.copy(), world.copy())]
    journal.on_change = world.on_change = lambda: found.append((journal.copy(), world.copy()))
    run(verb(lens, world, journal), world.tick)
    return found


@given(LENSES)
def test_entering_again_after_a_crash_anywhere_leaves_one_effect(lens: SetKeys) -> None:
    sweep = points(again, lens, MemoryJournal(), MemoryWorld(dict(BEFORE)))
    assert len(sweep) >= 2 + 3
    for journal, world in sweep:
        assert world.values == BEFORE or journal.rows, "the world changed before the disk did"
        applied = run(again(lens, world, journal), world.tick)
        assert world.values == dict(lens.wants)
        assert dict(applied.before) == BEFORE
        assert (journal[STEP].phase, journal[STEP].verdict) == ("done", "verified")


@given(LENSES)
def test_rolling_back_after_a_crash_anywhere_leaves_what_was_found(lens: SetKeys) -> None:
    for journal, world in points(again, lens, MemoryJournal(), MemoryWorld(dict(BEFORE)))[1:]:
        run(back(lens, world, journal), world.tick)
        assert world.values == BEFORE
        assert journal[STEP].phase == "undone"


@given(LENSES)
def test_a_crash_anywhere_in_the_way_back_is_gone_over_again(lens: SetKeys) -> None:
    journal, world = MemoryJournal(), MemoryWorld(dict(BEFORE))
    run(again(lens, world, journal), world.tick)
    for disk, twin in points(back, lens, journal, world):
        run(back(lens, twin, disk), twin.tick)
        assert twin.values == BEFORE
        assert disk[STEP].phase == "undone"


@given(LENSES)
def test_two_crashes_are_as_one(lens: SetKeys) -> None:
    for journal, world in points(again, lens, MemoryJournal(), MemoryWorld(dict(BEFORE)))[1:-1]:
        for disk, twin in points(back, lens, journal, world):
            run(back(lens, twin, disk), twin.tick)
            assert twin.values == BEFORE


@given(LENSES)
def test_at_start_up_nothing_is_left_on_the_way(lens: SetKeys) -> None:
    for journal, world in points(again, lens, MemoryJournal(), MemoryWorld(dict(BEFORE)))[1:]:
        phase = journal[STEP].phase
        way = {"half", "allow-all", "via"}
        half = any(v in way for v in world.values.values() if isinstance(v, str))
        untouched = {k: v for k, v in world.values.items() if v == BEFORE[k]}
        assert run(finish(lens, world, journal[STEP]), world.tick) == half
        assert not any(v in way for v in world.values.values() if isinstance(v, str))
        assert world.values == dict(lens.wants) | untouched
        assert journal[STEP].phase == phase


@pytest.mark.parametrize("undo", [False, True])
def test_start_up_leaves_a_finished_step_alone(undo: bool) -> None:
    lens = SetKeys((("a", 9),), born=(("a", "half"),))
    journal, world = MemoryJournal(), MemoryWorld({"a": 1})
    run(again(lens, world, journal), world.tick)
    if undo:
        run(back(lens, world, journal), world.tick)
    world.values["a"] = "half"
    assert run(finish(lens, world, journal[STEP]), world.tick) is False
    assert world.values == {"a": "half"}


def test_start_up_does_not_write_what_it_cannot_see() -> None:
    lens = SetKeys((("a", 9), ("b", 9)), born=(("a", "half"), ("b", "half")))
    sweep = points(again, lens, MemoryJournal(), MemoryWorld({"a": 1, "b": 1}))
    journal, world = next((j, w) for j, w in sweep if w.values == {"a": "half", "b": 1})
    world.unseen = {"a"}
    assert run(finish(lens, world, journal[STEP]), world.tick) is False
    assert world.values["a"] == "half"


@given(LENSES)
def test_a_wait_is_a_crash_point_too(lens: SetKeys) -> None:
    journal, world = MemoryJournal(), MemoryWorld(dict(BEFORE))
    held: list[Pair] = []
    clock = Clock(lambda s: held.append((journal.copy(), world.copy())))
    run(again(lens, world, journal), clock)
    assert held
    for disk, twin in held:
        run(again(lens, twin, disk), twin.tick)
        assert twin.values == dict(lens.wants)
