"""Acts without a way back: done once, found again after a crash, never repeated blindly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.action import fields_of, name_of
from actions.engine import Applied, Steps
from actions.errors import (
    ApprovalMissingError,
    NotEffectiveError,
    ProviderError,
    StepChangedError,
    UnknowableError,
)
from actions.one_way import OneWay, do_once, foresee
from tests.actions.driver import Clock, run
from tests.actions.memory_journal import MemoryJournal
from tests.actions.memory_world import BurnThing, MakeThing, MemoryWorld, WorldError

STEP = "make/thing"


def enter(
    act: MakeThing, world: MemoryWorld, journal: MemoryJournal, approval: str | None = None
) -> Steps[Applied]:
    """Enter the step as a case does: what is not on the disk is recorded first, and is fresh."""
    known = journal.find(STEP)
    intent = known or journal.intend(STEP, name_of(act), fields_of(act), foresee(act, world))
    return do_once(act, world, journal, intent, fresh=known is None, approval=approval)


def test_it_is_done_once_and_then_adopted() -> None:
    world, journal = MemoryWorld({}), MemoryJournal()
    first = run(enter(MakeThing(), world, journal), world.tick)
    assert run(enter(MakeThing(), world, journal), world.tick) == first
    mark = journal[STEP].mark
    assert (world.made, first.after, first.verdict) == ({mark: 1}, {"thing": mark}, "verified")


def test_a_crash_anywhere_leaves_it_done_once() -> None:
    world, journal = MemoryWorld({}), MemoryJournal()
    sweep = [(journal.copy(), world.copy())]
    journal.on_change = world.on_change = lambda: sweep.append((journal.copy(), world.copy()))
    run(enter(MakeThing(), world, journal), world.tick)
    assert [(len(d.history), sum(w.made.values())) for d, w in sweep] == [
        (0, 0),
        (1, 0),
        (1, 1),
        (2, 1),
    ]
    for disk, twin in sweep:
        run(enter(MakeThing(), twin, disk), twin.tick)
        assert twin.made == {disk[STEP].mark: 1}
        assert disk[STEP].phase == "done"


@given(st.floats(0, MakeThing.window))
def test_what_shows_late_is_found_within_the_window_and_not_repeated(late: float) -> None:
    world, journal = MemoryWorld({}), MemoryJournal()
    enter(MakeThing(), world, journal)  # recorded; the process ends here, with the call made
    world.made, world.late = {journal[STEP].mark: 1}, late
    run(enter(MakeThing(), world, journal), world.tick)
    assert world.made == {journal[STEP].mark: 1}


def test_an_answer_that_is_lost_is_looked_for_and_adopted() -> None:
    world, journal = MemoryWorld({}, late=5.0), MemoryJournal()
    world.fails["do"] = [WorldError("ConnectionClosed", passing=True, refused=False)]
    assert run(enter(MakeThing(), world, journal), world.tick).verdict == "verified"
    assert world.made == {journal[STEP].mark: 1}


def test_an_answer_that_is_lost_with_the_call_is_told_and_not_repeated_at_once() -> None:
    world, journal = MemoryWorld({}, ignored={"do"}), MemoryJournal()
    world.fails["do"] = [WorldError("InternalError", passing=True, refused=False)]
    with pytest.raises(ProviderError, match="InternalError"):
        run(enter(MakeThing(), world, journal), world.tick)
    world.ignored = set()
    run(enter(MakeThing(), world, journal), world.tick)
    assert world.made == {journal[STEP].mark: 1}


@given(st.integers(1, 20))
def test_a_call_that_surely_did_nothing_is_made_again(times: int) -> None:
    world, journal = MemoryWorld({}), MemoryJournal()
    world.fails["do"] = [WorldError("Throttling", passing=True) for _ in range(times)]
    run(enter(MakeThing(), world, journal), world.tick)
    assert world.made == {journal[STEP].mark: 1}


def test_throttling_without_end_ends_at_the_limit() -> None:
    world, journal, clock = MemoryWorld({}), MemoryJournal(), Clock()
    world.fails["do"] = [WorldError("Throttling", passing=True) for _ in range(1000)]
    with pytest.raises(ProviderError, match="Throttling"):
        run(enter(MakeThing(), world, journal), clock)
    assert OneWay.limit <= clock.now <= OneWay.limit + 1
    assert world.made == {}


def test_a_refusal_is_told() -> None:
    world, journal = MemoryWorld({}), MemoryJournal()
    world.fails["do"] = [WorldError("Denied", passing=False)]
    with pytest.raises(ProviderError, match="Denied"):
        run(enter(MakeThing(), world, journal), world.tick)
    assert world.made == {}
    assert journal[STEP].phase == "intended"


@pytest.mark.parametrize("known", [False, True])
def test_what_cannot_be_known_is_left_to_a_person(known: bool) -> None:
    world, journal = MemoryWorld({}), MemoryJournal()
    if known:
        enter(MakeThing(), world, journal)
    world.hidden = True
    for _ in range(2):
        with pytest.raises(UnknowableError, match="the trail is gone"):
            run(enter(MakeThing(), world, journal), world.tick)
    assert sum(world.made.values()) == (0 if known else 1)
    assert journal[STEP].phase == "intended"


def test_what_does_not_show_or_vanishes_is_not_done() -> None:
    world, journal = MemoryWorld({}, ignored={"do"}), MemoryJournal()
    with pytest.raises(NotEffectiveError):
        run(enter(MakeThing(), world, journal), world.tick)
    world.ignored = set()

    def reverted(seconds: float) -> None:
        world.tick(seconds)
        if world.made:
            world.made.clear()

    with pytest.raises(NotEffectiveError):
        run(enter(MakeThing(), world, journal), reverted)
    assert journal[STEP].phase == "intended"


def test_what_destroys_needs_an_approval_each_time_it_is_entered() -> None:
    world, journal = MemoryWorld({}), MemoryJournal()
    for missing in (None, ""):
        with pytest.raises(ApprovalMissingError, match="Ask for one"):
            run(enter(BurnThing(), world, journal, missing), world.tick)
    assert world.made == {}
    run(enter(BurnThing(), world, journal, "approval-1"), world.tick)
    assert world.made == {journal[STEP].mark: 1}


def test_other_fields_or_a_phase_of_a_lens_are_refused() -> None:
    world, journal = MemoryWorld({}), MemoryJournal()
    enter(MakeThing(), world, journal)
    journal.undoing(STEP)
    with pytest.raises(StepChangedError, match="undoing"):
        run(enter(MakeThing(), world, journal), world.tick)
    other = MemoryJournal()
    other.intend(STEP, "other", {}, foresee(MakeThing(), world))
    with pytest.raises(StepChangedError, match="other fields"):
        run(enter(MakeThing(), world, other), world.tick)
    assert world.made == {}


def test_the_dry_run_of_a_one_way_act_does_nothing() -> None:
    world = MemoryWorld({"a": 1})
    found = foresee(MakeThing(), world)
    assert (found.before, found.wanted, world.made) == ({}, {}, {})
