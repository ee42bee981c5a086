"""A base that was handed on: what an earlier way back left is no drift, and no danger either."""

from dataclasses import replace

import pytest

from actions.action import fields_of, name_of
from actions.engine import carry_out, finish, plan, rollback
from actions.errors import DriftError
from actions.journal import Intent
from tests.actions.driver import run
from tests.actions.memory_journal import MemoryJournal
from tests.actions.memory_world import MemoryWorld, SetKeys

LENS = SetKeys((("a", 2),))


def handed(journal: MemoryJournal, world: MemoryWorld, now: int) -> Intent:
    """Record the act over 1, let it be handed the base 0, and let the world be as it is now."""
    found = plan(LENS, world)
    journal.intend("step", name_of(LENS), fields_of(LENS), found)
    other = replace(found, before={"a": 0}, passing={"a": (1,)})
    world.values["a"] = now
    return replace(journal["step"], plan=other)


@pytest.mark.parametrize("now", [0, 1, 2])
def test_the_way_back_leads_from_any_of_them_to_the_base(now: int) -> None:
    world, journal = MemoryWorld({"a": 1}), MemoryJournal()
    intent = handed(journal, world, now)
    run(rollback(LENS, world, journal, intent), world.tick)
    assert world.values == {"a": 0}
    assert journal["step"].phase == "undone"


@pytest.mark.parametrize("now", [0, 1, 2])
def test_the_way_there_leads_from_any_of_them_to_what_is_wanted(now: int) -> None:
    world, journal = MemoryWorld({"a": 1}), MemoryJournal()
    intent = handed(journal, world, now)
    assert run(carry_out(LENS, world, journal, intent), world.tick).verdict == "verified"
    assert world.values == {"a": 2}


def test_anything_else_is_somebody_elses() -> None:
    world, journal = MemoryWorld({"a": 1}), MemoryJournal()
    intent = handed(journal, world, 7)
    with pytest.raises(DriftError):
        run(rollback(LENS, world, journal, intent), world.tick)
    assert world.values == {"a": 7}


def test_at_start_up_what_was_handed_on_is_left_as_it_is() -> None:
    world, journal = MemoryWorld({"a": 1}), MemoryJournal()
    intent = handed(journal, world, 1)
    assert run(finish(LENS, world, intent), world.tick) is False
    assert world.values == {"a": 1}
