"""Providers that lie, lag or fail: a step is never called done unless the world shows it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actions.action import Lens
from actions.engine import apply, rollback
from actions.errors import NotEffectiveError, ProviderError
from tests.actions.driver import Clock, run
from tests.actions.memory_journal import MemoryJournal
from tests.actions.memory_world import MemoryWorld, SetKeys, WorldError

STEP = "set/thing"
LENS = SetKeys((("a", 9), ("b", 9), ("c", 9)))
SOME = st.sets(st.sampled_from("abc"), min_size=1)


def world() -> MemoryWorld:
    return MemoryWorld({"a": 1, "b": 1, "c": 1})


@given(SOME)
def test_ignored_and_half_made_writes_are_never_done(ignored: set[str]) -> None:
    w, journal, clock = world(), MemoryJournal(), Clock()
    w.ignored = set(ignored)
    clock.on_wait = w.tick
    with pytest.raises(NotEffectiveError, match="NOT contained") as caught:
        run(apply(LENS, w, journal, STEP), clock)
    assert set(caught.value.missing) == ignored
    assert journal[STEP].phase == "intended"
    assert Lens.limit <= clock.now < Lens.limit + 1
    w.ignored = set()
    assert run(apply(LENS, w, journal, STEP), w.tick).verdict == "verified"


@given(SOME)
def test_an_undo_that_is_ignored_is_never_undone(ignored: set[str]) -> None:
    w, journal = world(), MemoryJournal()
    run(apply(LENS, w, journal, STEP), w.tick)
    w.ignored = set(ignored)
    with pytest.raises(NotEffectiveError):
        run(rollback(LENS, w, journal, journal[STEP]), w.tick)
    assert journal[STEP].phase == "undoing"
    w.ignored = set()
    run(rollback(LENS, w, journal, journal[STEP]), w.tick)
    assert w.values == world().values


@given(SOME, st.floats(0.01, Lens.apart))
def test_a_write_that_is_reverted_is_never_done(keys: set[str], after: float) -> None:
    w, journal = world(), MemoryJournal()
    w.reverts = dict.fromkeys(keys, after)
    with pytest.raises(NotEffectiveError) as caught:
        run(apply(LENS, w, journal, STEP), w.tick)
    assert set(caught.value.missing) == keys
    assert journal[STEP].phase == "intended"


@given(st.floats(0.01, Lens.limit))
@example(Lens.limit)
def test_a_late_write_is_awaited_and_then_verified(late: float) -> None:
    w, journal, clock = world(), MemoryJournal(), Clock()
    w.late = late
    clock.on_wait = w.tick
    assert run(apply(LENS, w, journal, STEP), clock).verdict == "verified"
    assert clock.now >= late + Lens.apart


def test_a_write_later_than_the_limit_is_not_done_and_a_new_entry_adopts_it() -> None:
    w, journal = world(), MemoryJournal()
    w.late = Lens.limit + 5
    with pytest.raises(NotEffectiveError):
        run(apply(LENS, w, journal, STEP), w.tick)
    w.tick(5)
    assert run(apply(LENS, w, journal, STEP), w.tick).before == world().values


@given(SOME, st.integers(1, 5))
def test_what_passes_is_tried_again_and_holds_nobody_up(keys: set[str], times: int) -> None:
    w, journal = world(), MemoryJournal()
    w.fails = {k: [WorldError("Throttling", passing=True) for _ in range(times)] for k in keys}
    assert run(apply(LENS, w, journal, STEP), w.tick).verdict == "verified"
    first = [k for k, _ in w.writes][: 3 - len(keys)]
    assert set(first) == set("abc") - keys
    assert sorted(k for k, _ in w.writes) == ["a", "b", "c"]


@given(SOME)
def test_a_refusal_is_told_and_holds_nobody_up(keys: set[str]) -> None:
    w, journal = world(), MemoryJournal()
    w.fails = {k: [WorldError("Denied", passing=False)] for k in keys}
    with pytest.raises(ProviderError, match="Denied"):
        run(apply(LENS, w, journal, STEP), w.tick)
    assert w.values == {k: 1 if k in keys else 9 for k in "abc"}
    assert journal[STEP].phase == "intended"


def test_what_never_passes_ends_at_the_limit() -> None:
    w, journal, clock = world(), MemoryJournal(), Clock()
    w.fails = {"a": [WorldError("Throttling", passing=True) for _ in range(1000)]}
    with pytest.raises(ProviderError, match="Throttling"):
        run(apply(LENS, w, journal, STEP), clock)
    assert Lens.limit <= clock.now <= Lens.limit + 5
    assert w.values == {"a": 1, "b": 9, "c": 9}


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_a_throttled_read_is_read_again(at: int) -> None:
    w, journal = world(), MemoryJournal()
    reads = 0

    def now_and_then(seconds: float) -> None:
        nonlocal reads
        w.tick(seconds)
        reads += 1
        if reads == at:
            w.fails["read"] = [WorldError("Throttling", passing=True)]

    if at == 0:
        w.fails["read"] = [WorldError("Throttling", passing=True)]
    assert run(apply(LENS, w, journal, STEP), now_and_then).verdict == "verified"


def test_a_read_that_never_comes_ends_at_the_limit() -> None:
    w, journal, clock = world(), MemoryJournal(), Clock()
    w.fails["read"] = [WorldError("Throttling", passing=True) for _ in range(1000)]
    with pytest.raises(ProviderError, match="Throttling"):
        run(apply(LENS, w, journal, STEP), clock)
    assert Lens.limit <= clock.now <= Lens.limit + 5


def test_a_read_that_is_refused_ends_before_anything_is_written() -> None:
    w, journal = world(), MemoryJournal()
    w.fails["read"] = [WorldError("Denied", passing=False)]
    with pytest.raises(ProviderError, match="Denied"):
        run(apply(LENS, w, journal, STEP), w.tick)
    assert (w.writes, journal.rows) == ([], {})


def test_an_error_that_is_not_the_providers_comes_out_as_it_is() -> None:
    w, journal = world(), MemoryJournal()
    w.fails["a"] = [ZeroDivisionError("a bug")]  # type: ignore[list-item]
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run(apply(LENS, w, journal, STEP), w.tick)
