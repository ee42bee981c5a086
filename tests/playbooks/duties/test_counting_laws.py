"""Laws of counting: later events end later, the strict end is never the later one, and zones."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.duties.counting import HOURS, add_months, count
from playbooks.duties.moment import instant, start_of, whole
from playbooks.duties.rule import Counting, Unit
from playbooks.duties.working_days import WEEKENDS, calendar

ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC", "Asia/Kolkata"])
FIRST = datetime(2015, 1, 1, tzinfo=UTC)
TIMES = st.integers(0, 20 * 365 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))
UNITS = st.sampled_from(get_args(Unit))
# The noon of DORA Art. 5(4) is no law of counting: a report of a Friday night may come later than
# one of a Monday morning.
RULES = st.sampled_from(get_args(Counting))
PLACES = st.sampled_from(["US", "DE", "JP", "us_sec_edgar"])


@given(TIMES, TIMES, ZONES, st.integers(1, 60), UNITS, RULES, PLACES)
def test_what_starts_later_never_ends_earlier(
    one: datetime, two: datetime, zone: str, value: int, unit: Unit, how: Counting, place: str
) -> None:
    first, second = sorted((one, two))
    ends = [count(instant(at, zone), value, unit, how, calendar(place)) for at in (first, second)]
    assert ends[0].conservative.last <= ends[1].conservative.last
    assert ends[0].legal.last <= ends[1].legal.last


@given(TIMES, ZONES, st.integers(1, 60), UNITS, RULES, PLACES)
def test_the_strict_end_is_never_after_the_lawful_one(
    at: datetime, zone: str, value: int, unit: Unit, how: Counting, place: str
) -> None:
    start = instant(at, zone)
    end = count(start, value, unit, how, calendar(place))
    assert end.conservative.last <= end.legal.last
    # "A day" of which the first counts ends with the day of the event itself.
    assert end.conservative.last > start.first
    assert end.steps


@given(TIMES, ZONES, ZONES, st.integers(1, 200), st.sampled_from(sorted(HOURS)))
def test_elapsed_hours_do_not_know_zones(
    at: datetime, one: str, two: str, value: int, unit: Unit
) -> None:
    ends = [count(instant(at, z), value, unit, "elapsed", WEEKENDS).legal.at for z in (one, two)]
    assert ends[0] == ends[1] == at + HOURS[unit] * value


@given(TIMES, ZONES, st.integers(1, 90), UNITS, RULES)
def test_a_day_without_its_hour_is_counted_from_its_first(
    at: datetime, zone: str, value: int, unit: Unit, how: Counting
) -> None:
    day = whole(instant(at, zone).day, zone)
    if unit in HOURS:
        end = count(day, value, unit, how, WEEKENDS)
        assert end.conservative.at == start_of(day.day, zone) + HOURS[unit] * value
    elif how != "sec-business-days":
        both = [count(m, value, unit, how, WEEKENDS).legal for m in (day, instant(at, zone))]
        assert both[0] == both[1]


@given(st.dates(max_value=date(9000, 1, 1)), st.integers(1, 60))
def test_a_month_on_is_the_same_date_or_the_months_last(day: date, months: int) -> None:
    end = add_months(day, months)
    assert (end.year - day.year) * 12 + end.month - day.month == months
    assert end.day == day.day or (end.day < day.day and (end + timedelta(days=1)).day == 1)


@pytest.mark.parametrize("place", ["US", "DE", "JP", "IL", "us_sec_edgar"])
def test_the_next_and_the_previous_working_day_are_such(place: str) -> None:
    there = calendar(place)
    day = datetime(2026, 1, 1, tzinfo=UTC).date()
    for _ in range(400):
        after, before = there.next_working(day), there.previous_working(day)
        assert there.is_working(after)
        assert there.is_working(before)
        assert before <= day <= after
        assert (before == day) == (after == day) == there.is_working(day)
        day += timedelta(days=1)
