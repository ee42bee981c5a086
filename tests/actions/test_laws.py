"""The laws that every action keeps, over the whole catalogue, on the range."""

import json
from dataclasses import replace

import pytest

from actions.action import Lens, fields_of
from actions.catalogue import catalogue, revive
from actions.engine import carry_out, finish, plan
from actions.errors import ActionError, DriftError
from actions.journal import Json
from actions.one_way import foresee
from tests.actions.scene import Scene, apart, crashes, in_child, mutates, scene

LENSES = [name for name, kind in catalogue().items() if issubclass(kind, Lens)]
ONE_WAY = [name for name in catalogue() if name not in LENSES]
# What a crash loses of these is made again, with another id: their own tests hold that law.
REMAKES = [n for n, kind in catalogue().items() if getattr(kind, "remakes", False)]


def is_as(found: Scene, values: dict[str, Json]) -> None:
    """Fail unless every key reads as one of these values, in the action's own terms."""
    now = found.read()
    wrong = {
        k: (now.get(k), v) for k, v in values.items() if not found.action.same(k, now.get(k), v)
    }
    assert wrong == {}, "key: (now, expected)"


def wrote(found: Scene) -> list[str]:
    return [operation for _, operation, _ in found.seen if mutates(operation)]


@pytest.mark.parametrize("name", catalogue())
@apart
def test_every_action_has_an_arrangement_that_gives_work_to_it(name: str) -> None:
    found = scene(name)
    assert type(found.action) is catalogue()[name]
    assert not wrote(found)
    found.run(found.enter())
    assert wrote(found), "the arrangement leaves the action nothing to do"
    shows = name in LENSES or catalogue()[name].shows
    assert found.intent.verdict == ("verified" if shows else "unverified")


@pytest.mark.parametrize("name", catalogue())
@apart
def test_an_action_comes_back_from_what_is_recorded_of_it(name: str) -> None:
    action = scene(name).action
    assert revive(name, json.loads(json.dumps(fields_of(action)))) == action


@pytest.mark.parametrize("name", catalogue())
@apart
def test_a_dry_run_only_reads(name: str) -> None:
    found = scene(name)
    before = found.world.digest()
    if name in LENSES:
        assert plan(found.action, found.p) == plan(found.action, found.p)
    else:
        found.action.find(found.p, "a mark")
        assert foresee(found.action, found.p) == foresee(found.action, found.p)
    assert wrote(found) == []
    assert found.world.digest() == before


@pytest.mark.parametrize("name", LENSES)
@apart
def test_rolling_back_gives_back_what_was_found(name: str) -> None:
    found = scene(name)
    before = found.read()
    applied = found.run(found.enter())
    assert dict(applied.before) == before
    is_as(found, dict(found.intent.plan.wanted))
    found.run(found.back())
    is_as(found, before)
    assert found.read().keys() == before.keys()
    assert found.intent.phase == "undone"


@pytest.mark.parametrize("name", catalogue())
@apart
def test_twice_is_once(name: str) -> None:
    found = scene(name)
    once = found.run(found.enter())
    digest, writes = found.world.digest(), wrote(found)
    assert found.run(found.enter()) == once
    assert (found.world.digest(), wrote(found)) == (digest, writes)


@pytest.mark.parametrize("name", LENSES)
@apart
def test_undoing_twice_is_undoing_once(name: str) -> None:
    found = scene(name)
    found.run(found.enter())
    found.run(found.back())
    digest, writes = found.world.digest(), wrote(found)
    found.run(found.back())
    assert (found.world.digest(), wrote(found)) == (digest, writes)


def other(value: Json) -> Json:
    """Return a value of the same shape that is another one."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return f"{value}-other"
        case list():
            return [*map(other, value), "other"]
        case dict():
            return {k: other(v) for k, v in value.items()}
        case _:
            return "other"


@pytest.mark.parametrize("name", LENSES)
@apart
def test_what_somebody_else_changed_is_left_alone(name: str) -> None:
    """As the world cannot be changed in the same way for all, what was recorded is changed."""
    found = scene(name)
    as_it_is = plan(found.action, found.p)

    def left_alone(key: str, recorded: Json) -> None:
        stale = replace(
            as_it_is,
            before={**as_it_is.before, key: recorded},
            wanted={**as_it_is.wanted, key: recorded},
        )
        intent = found.journal.intend(found.step, name, fields_of(found.action), stale)
        with pytest.raises(ActionError) as caught:
            found.run(carry_out(found.action, found.p, found.journal, intent))
        if isinstance(caught.value, DriftError):
            assert caught.value.drifted.keys() == {key}
        is_as(found, {key: as_it_is.before.get(key)})
        assert found.intent.phase == "intended"

    for key in as_it_is.wanted:
        now = as_it_is.before.get(key)
        recorded = other(as_it_is.wanted[key] if now is None else now)
        assert not found.action.same(key, now, recorded)
        assert in_child(lambda key=key, recorded=recorded: left_alone(key, recorded)) == ""


@pytest.mark.parametrize("name", LENSES)
@apart
def test_a_crash_after_any_call_is_finished_or_undone(name: str) -> None:
    found = scene(name)
    before = found.read()
    wanted = dict(found.action.wanted(before))

    def finished() -> None:
        found.run(found.enter())
        is_as(found, wanted)
        assert found.intent.phase == "done"
        found.run(found.back())
        is_as(found, before)

    said = list(crashes(found, found.enter(), finished))
    assert said == [""] * len(wrote(found))


@pytest.mark.parametrize("name", LENSES)
@apart
def test_a_crash_after_any_call_can_be_undone_at_once(name: str) -> None:
    found = scene(name)
    before = found.read()

    def undone() -> None:
        found.run(found.back())
        is_as(found, before)
        assert found.intent.phase == "undone"

    said = list(crashes(found, found.enter(), undone))
    assert said == [""] * len(wrote(found))


@pytest.mark.parametrize("name", LENSES)
@apart
def test_at_start_up_nothing_is_left_on_the_way(name: str) -> None:
    """Such as a host on an allow-all group: that is finished before anything is asked."""
    found = scene(name)
    before = found.read()
    via = found.action.via(before)
    ways = {k: [*values] for k, values in found.action.transit(before).items()}
    for key, value in (via.values if via else {}).items():
        ways.setdefault(key, []).append(value)
    half: list[str] = []

    def on_the_way() -> list[str]:
        now = found.read()
        ends = {k: (before.get(k), v) for k, v in found.intent.plan.wanted.items()}
        return [
            k
            for k, values in ways.items()
            if any(found.action.same(k, now.get(k), v) for v in values)
            and not any(found.action.same(k, now.get(k), v) for v in ends[k])
        ]

    def started() -> str:
        half[:] = on_the_way()
        assert found.run(finish(found.action, found.p, found.intent)) == bool(half)
        assert on_the_way() == []
        assert found.intent.phase == "intended"
        return "finished" if half else ""

    said = set(crashes(found, found.enter(), started))
    assert said <= {"", "finished"}
    if via:
        assert "finished" in said, "no crash met the way there: the law was not tried"


@pytest.mark.parametrize("name", LENSES)
@apart
def test_a_crash_on_the_way_back_is_gone_over_again(name: str) -> None:
    found = scene(name)
    before = found.read()
    found.run(found.enter())
    found.seen.clear()

    def undone() -> None:
        found.run(found.back())
        is_as(found, before)
        assert found.intent.phase == "undone"

    said = list(crashes(found, found.back(), undone))
    assert said == [""] * len(wrote(found))


@pytest.mark.parametrize("name", [n for n in ONE_WAY if n not in REMAKES])
@apart
def test_a_one_way_act_is_done_once_through_any_crash(name: str) -> None:
    found = scene(name)

    def digest_in_the_end() -> str:
        found.run(found.enter())
        assert found.intent.phase == "done"
        return found.world.digest()

    digests = list(crashes(found, found.enter(), digest_in_the_end))
    assert digests == [found.world.digest()] * len(wrote(found))
