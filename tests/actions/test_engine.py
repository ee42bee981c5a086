"""The engine's laws, over any keys and values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.action import fields_of, step_of
from actions.engine import apply, carry_out, changes, plan, rollback
from actions.errors import DriftError, NotEffectiveError, ProviderError, StepChangedError
from tests.actions.driver import Clock, run
from tests.actions.memory_journal import MemoryJournal
from tests.actions.memory_world import MemoryWorld, SetKeys, WorldError

STEP = "set/thing"
KEYS = st.sampled_from(["a", "b", "c", "d"])
VALUES = st.none() | st.booleans() | st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2)
STATES = st.dictionaries(KEYS, VALUES, min_size=1)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[MemoryWorld, SetKeys]:
    """A world, and an action that wants its keys otherwise (some perhaps as they are)."""
    before = draw(STATES)
    wants = {k: draw(VALUES) for k in draw(st.permutations(sorted(before)))}
    return MemoryWorld(dict(before)), SetKeys(tuple(wants.items()))


@given(worlds())
def test_rollback_gives_back_exactly_what_was_found(case: tuple[MemoryWorld, SetKeys]) -> None:
    world, lens = case
    before, journal = dict(world.values), MemoryJournal()
    applied = run(apply(lens, world, journal, STEP), world.tick)
    assert world.values == dict(lens.wants)
    assert (applied.before, applied.after, applied.verdict) == (before, world.values, "verified")
    undone = run(rollback(lens, world, journal, journal[STEP]), world.tick)
    assert world.values == before
    assert (undone.before, undone.after) == (dict(lens.wants), before)
    assert [phase for _, phase in journal.history] == ["intended", "done", "undoing", "undone"]


@given(worlds())
def test_applying_twice_is_applying_once(case: tuple[MemoryWorld, SetKeys]) -> None:
    world, lens = case
    journal = MemoryJournal()
    once = run(apply(lens, world, journal, STEP), world.tick)
    writes, rows = list(world.writes), dict(journal.rows)
    assert run(apply(lens, world, journal, STEP), world.tick) == once
    assert (world.writes, journal.rows) == (writes, rows)


@given(worlds())
def test_undoing_twice_is_undoing_once(case: tuple[MemoryWorld, SetKeys]) -> None:
    world, lens = case
    journal = MemoryJournal()
    run(apply(lens, world, journal, STEP), world.tick)
    once = run(rollback(lens, world, journal, journal[STEP]), world.tick)
    writes = list(world.writes)
    assert run(rollback(lens, world, journal, journal[STEP]), world.tick) == once
    assert world.writes == writes


@given(worlds())
def test_a_dry_run_changes_nothing_and_names_every_change(
    case: tuple[MemoryWorld, SetKeys],
) -> None:
    world, lens = case
    before = dict(world.values)
    found = plan(lens, world)
    assert world.values == before
    assert world.writes == []
    wants = dict(lens.wants)
    assert changes(lens, found) == {k: (before[k], v) for k, v in wants.items() if v != before[k]}
    assert (found.blast, found.lost) == ((f"{len(before)} keys",), ("nothing",))


@given(worlds(), st.data())
def test_drift_is_left_alone_and_the_other_keys_go_on(
    case: tuple[MemoryWorld, SetKeys], data: st.DataObject
) -> None:
    world, lens = case
    journal = MemoryJournal()
    intent = journal.intend(STEP, "memory_world", fields_of(lens), plan(lens, world))
    theirs = dict.fromkeys(
        data.draw(st.sets(st.sampled_from(sorted(world.values)), min_size=1)), "theirs"
    )
    before = dict(world.values)
    world.values |= theirs
    with pytest.raises(DriftError, match="Not overwritten") as caught:
        run(carry_out(lens, world, journal, intent), world.tick)
    wants = dict(lens.wants)
    assert caught.value.drifted == {k: (before[k], wants[k], "theirs") for k in theirs}
    assert world.values == wants | theirs
    assert journal[STEP].phase == "intended"
    with pytest.raises(DriftError):
        run(rollback(lens, world, journal, journal[STEP]), world.tick)
    assert world.values == before | theirs
    assert journal[STEP].phase == "undoing"


@given(worlds(), st.booleans())
def test_a_key_that_comes_up_is_drift_before_and_during_the_step(
    case: tuple[MemoryWorld, SetKeys], before_it: bool
) -> None:
    world, lens = case
    journal = MemoryJournal()
    intent = journal.intend(STEP, "memory_world", fields_of(lens), plan(lens, world))
    if before_it:
        world.values["new"] = 7
    else:
        world.due.append((0.1, "new", 7))
    with pytest.raises(DriftError) as caught:
        run(carry_out(lens, world, journal, intent), world.tick)
    assert caught.value.drifted == {"new": (None, None, 7)}
    assert world.values == dict(lens.wants) | {"new": 7}
    assert journal[STEP].phase == "intended"


@given(worlds(), st.data())
def test_what_cannot_be_read_is_never_written_nor_verified(
    case: tuple[MemoryWorld, SetKeys], data: st.DataObject
) -> None:
    world, lens = case
    journal = MemoryJournal()
    world.unseen = data.draw(st.sets(st.sampled_from(sorted(world.values)), min_size=1))
    before = dict(world.values)
    applied = run(apply(lens, world, journal, STEP), world.tick)
    assert applied.verdict == journal[STEP].verdict == "unverified"
    assert not world.unseen & {k for k, _ in world.writes}
    assert not world.unseen & applied.after.keys()
    assert dict(journal[STEP].plan.unseen) == dict.fromkeys(world.unseen, "denied")
    run(rollback(lens, world, journal, journal[STEP]), world.tick)
    assert world.values == before


def test_what_was_not_seen_at_first_is_not_verified_when_it_is_seen_later() -> None:
    world, journal = MemoryWorld({"a": 1, "b": 9}, unseen={"b"}), MemoryJournal()
    lens = SetKeys((("a", 9), ("b", 9)))
    intent = journal.intend(STEP, "memory_world", fields_of(lens), plan(lens, world))
    world.unseen = set()
    assert run(carry_out(lens, world, journal, intent), world.tick).verdict == "unverified"
    assert [k for k, _ in world.writes] == ["a"]


def test_a_key_seen_in_only_one_of_the_two_reads_is_not_verified() -> None:
    world, journal = MemoryWorld({"a": 1, "b": 1}), MemoryJournal()
    lens = SetKeys((("a", 2), ("b", 2)))
    intent = journal.intend(STEP, "memory_world", fields_of(lens), plan(lens, world))
    world.unseen = {"b"}

    def see(seconds: float) -> None:
        world.unseen = set()

    assert run(carry_out(lens, world, journal, intent), see).verdict == "unverified"


def test_a_key_that_cannot_be_read_any_more_is_not_called_undone() -> None:
    world, journal = MemoryWorld({"a": 1, "b": 1}), MemoryJournal()
    lens = SetKeys((("a", 2), ("b", 2)))
    run(apply(lens, world, journal, STEP), world.tick)
    world.unseen = {"b"}
    with pytest.raises(NotEffectiveError) as caught:
        run(rollback(lens, world, journal, journal[STEP]), world.tick)
    assert caught.value.missing == ("b",)
    assert world.values == {"a": 1, "b": 2}
    world.unseen = set()
    run(rollback(lens, world, journal, journal[STEP]), world.tick)
    assert world.values == {"a": 1, "b": 1}


def test_keys_go_in_the_recorded_order_through_the_way_and_stay_there() -> None:
    lens = SetKeys((("b", 9), ("a", 9)), through=(("b", 5), ("a", 5)), dwell=42.0)
    world, journal, clock = MemoryWorld({"a": 1, "b": 9}), MemoryJournal(), Clock()
    seen: list[tuple[float, list[object]]] = []
    clock.on_wait = lambda s: (seen.append((s, [v for _, v in world.writes])), world.tick(s))
    run(apply(lens, world, journal, STEP), clock)
    assert world.writes == [("b", 5), ("a", 5), ("b", 9), ("a", 9)]
    assert [writes for seconds, writes in seen if seconds == 42.0] == [[5, 5]]
    run(rollback(lens, world, journal, journal[STEP]), clock)
    assert world.writes[4:] == [("a", 1), ("b", 9)]


def test_a_way_that_breaks_off_is_left_for_the_wanted_values() -> None:
    lens = SetKeys((("a", 9), ("b", 9)), through=(("a", 5), ("b", 5)))
    world, journal = MemoryWorld({"a": 1, "b": 1}), MemoryJournal()
    world.fails = {"b": [WorldError("Denied", passing=False)]}
    with pytest.raises(ProviderError, match="Denied"):
        run(apply(lens, world, journal, STEP), world.tick)
    assert world.values == {"a": 9, "b": 9}
    assert journal[STEP].phase == "intended"


def test_a_way_that_does_not_show_is_not_taken_for_taken() -> None:
    """What ends where it began would look done, had it never been on the way."""
    lens = SetKeys((("a", 1),), through=(("a", 5),))
    world, journal = MemoryWorld({"a": 1}, ignored={"a"}), MemoryJournal()
    with pytest.raises(NotEffectiveError) as caught:
        run(apply(lens, world, journal, STEP), world.tick)
    assert caught.value.missing == ("a",)
    assert journal[STEP].phase == "intended"


@pytest.mark.parametrize("theirs", [{"a": 7}, {"new": 7}])
def test_with_drift_the_way_is_not_taken(theirs: dict[str, int]) -> None:
    lens = SetKeys((("a", 9), ("b", 9)), through=(("a", 5), ("b", 5)))
    world, journal = MemoryWorld({"a": 1, "b": 1}), MemoryJournal()
    intent = journal.intend(STEP, "memory_world", fields_of(lens), plan(lens, world))
    world.values |= theirs
    with pytest.raises(DriftError):
        run(carry_out(lens, world, journal, intent), world.tick)
    assert world.values == {"a": 9, "b": 9} | theirs
    assert 5 not in [v for _, v in world.writes]


def test_the_way_back_first_leaves_what_is_half_way() -> None:
    lens = SetKeys((("a", 9), ("b", 9)), born=(("a", "half"),))
    world, journal = MemoryWorld({"a": 1, "b": 1}), MemoryJournal()
    intent = journal.intend(STEP, "memory_world", fields_of(lens), plan(lens, world))
    world.values["a"] = "half"
    world.fails["b"] = [WorldError("Denied", passing=False)]
    with pytest.raises(ProviderError):
        run(rollback(lens, world, journal, intent), world.tick)
    assert [w for w in world.writes if w[0] == "a"][-2:] == [("a", 9), ("a", 1)]


def test_the_same_key_with_other_fields_asks() -> None:
    world, journal = MemoryWorld({"a": 1}), MemoryJournal()
    run(apply(SetKeys((("a", 2),)), world, journal, STEP), world.tick)
    other = SetKeys((("a", 3),))
    for verb in (
        apply(other, world, journal, STEP),
        rollback(other, world, journal, journal[STEP]),
    ):
        with pytest.raises(StepChangedError, match="Name a new step"):
            run(verb, world.tick)
    assert world.values == {"a": 2}


def test_a_step_that_is_undone_is_not_applied_again_under_its_key() -> None:
    world, journal, lens = MemoryWorld({"a": 1}), MemoryJournal(), SetKeys((("a", 2),))
    run(apply(lens, world, journal, STEP), world.tick)
    run(rollback(lens, world, journal, journal[STEP]), world.tick)
    with pytest.raises(StepChangedError, match="undone"):
        run(apply(lens, world, journal, STEP), world.tick)
    assert world.values == {"a": 1}
    assert step_of(lens) == "memory_world/account/region/thing"
    assert step_of(lens, "the host came back") == f"{step_of(lens)}#the host came back"
