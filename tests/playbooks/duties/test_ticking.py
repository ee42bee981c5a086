"""Who is reminded when: each time once, the later the more people, and quickly of many clocks."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from playbooks.duties.ticking import Ticking, points, tick, upcoming

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def clock(hours: float, told: int = 0, owner: str = "alice") -> Ticking:
    return Ticking("us-md/individuals", NOW, NOW + hours * HOUR, told, owner)


def labels(hours: float) -> list[str]:
    return [p.label for p in points(NOW, NOW + hours * HOUR)]


def test_the_times_are_in_order_whatever_the_length() -> None:
    assert labels(72) == ["half the time left", "24 h left", "4 h left", "1 h left", "overdue"]
    assert labels(30) == ["24 h left", "half the time left", "4 h left", "1 h left", "overdue"]
    assert labels(48) == ["24 h left", "4 h left", "1 h left", "overdue"], "half is 24 h before"
    assert labels(3) == ["half the time left", "1 h left", "overdue"]
    assert labels(-5) == ["overdue"], "it was over before anybody knew"


def test_each_is_told_once_and_what_was_missed_is_told_by_the_newest() -> None:
    assert list(tick([clock(72)], NOW)) == []
    (half,) = tick([clock(72)], NOW + 37 * HOUR)
    assert (half.label, half.told, half.whom) == ("half the time left", 1, ("alice",))
    assert list(tick([clock(72, told=1)], NOW + 40 * HOUR)) == []
    (late,) = tick([clock(72, told=1)], NOW + 71.5 * HOUR, lead="lena")
    assert (late.label, late.told, late.whom) == ("1 h left", 4, ("alice", "lena"))
    (over,) = tick([clock(72, told=4)], NOW + 90 * HOUR, lead="lena")
    assert (over.label, over.told) == ("overdue", 5)
    assert list(tick([clock(72, told=5)], NOW + 900 * HOUR)) == []


def test_without_an_owner_who_leads_is_told_at_once() -> None:
    (half,) = tick([clock(72, owner="")], NOW + 37 * HOUR, lead="lena")
    assert half.whom == ("lena",)
    (half,) = tick([clock(72, owner="lena")], NOW + 70 * HOUR, lead="lena")
    assert half.whom == ("lena",)


def test_of_many_clocks_each_is_looked_at() -> None:
    many = [Ticking(f"r/{i}", NOW, NOW + (i % 500) * HOUR) for i in range(10_000)]
    found = list(tick(many, NOW + 100 * HOUR))
    assert len({reminder.duty for reminder in found}) == len(found) > 2000
    assert upcoming(many, NOW + 100 * HOUR) is not None


@given(st.integers(-100, 2000), st.lists(st.integers(0, 3000), max_size=30))
def test_however_often_one_looks_each_reminder_is_told_once(hours: int, looks: list[int]) -> None:
    told, said = 0, []
    for at in sorted(looks):
        for reminder in tick([clock(hours, told)], NOW + at * HOUR):
            assert reminder.told > told
            told = reminder.told
            said.append(reminder.label)
    assert len(said) == len(set(said))
    if looks and max(looks) >= hours:
        assert said[-1] == "overdue"


@given(st.integers(1, 2000), st.integers(0, 2000))
def test_who_looks_again_at_the_next_time_misses_nothing(hours: int, at: int) -> None:
    now = NOW + at * HOUR
    one = clock(hours)
    told = sum(p.at <= now for p in points(one.since, one.due))
    next_at = upcoming([one], now)
    assert (next_at is None) == (at >= hours)
    if next_at is not None:
        seen = Ticking(one.duty, one.since, one.due, told, one.owner)
        assert [r.told for r in tick([seen], next_at)] == [told + 1]
        assert list(tick([seen], next_at - timedelta(seconds=1))) == []
