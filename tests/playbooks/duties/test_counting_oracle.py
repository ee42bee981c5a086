"""The engine counts as a slow walk does, for thousands of moments and each counting rule."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from playbooks.duties.counting import End, count
from playbooks.duties.moment import Moment, instant, whole
from playbooks.duties.rule import Counting, Unit
from playbooks.duties.working_days import Calendar, calendar
from tests.playbooks.duties import oracle

ANCHORS = 10_000
ZONES = [
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "UTC",
]
# EDGAR's own closures are not in the walk's book of holidays.
SEC_QUIET = {
    date(2018, 12, 5),
    date(2024, 12, 24),
    date(2025, 1, 9),
    date(2025, 12, 24),
    date(2025, 12, 26),
}


def moments(seed: int) -> Iterator[tuple[Moment, datetime]]:
    chance = random.Random(seed)
    first = datetime(2016, 1, 1, tzinfo=UTC)
    for _ in range(ANCHORS):
        at = first + timedelta(minutes=chance.randrange(20 * 365 * 24 * 60))
        yield instant(at, chance.choice(ZONES)), at


def counted(value: int, unit: Unit, how: Counting, place: str) -> Callable[[Moment], End]:
    there: Calendar = calendar(place)
    return lambda moment: count(moment, value, unit, how, there)


@pytest.mark.parametrize("value", [1, 4, 24, 36, 72])
def test_elapsed_hours(value: int) -> None:
    engine = counted(value, "clock_hour", "elapsed", "US")
    for moment, at in moments(value):
        assert engine(moment).legal.at == oracle.hours(at, value)


def test_hours_by_regulation_1182_71() -> None:
    engine = counted(72, "clock_hour", "eu-1182-71", "DE")
    for moment, at in moments(1182):
        end = engine(moment)
        walked = oracle.hours_after_the_events_own(at, 72, moment.zone)
        # Lord Howe changes its clocks by half an hour, and so what "the next full hour" is.
        if moment.zone != "Australia/Lord_Howe":
            assert end.legal.at == walked
        assert end.conservative.at == oracle.hours(at, 72)


@pytest.mark.parametrize("value", [3, 14, 30, 45, 60])
def test_calendar_days(value: int) -> None:
    engine = counted(value, "calendar_day", "calendar-days", "US")
    for moment, _ in moments(value):
        assert engine(moment).legal == whole(oracle.days(moment.day, value), moment.zone)


@pytest.mark.parametrize("place", ["DE", "FR", "IE"])
def test_days_by_regulation_1182_71(place: str) -> None:
    engine = counted(14, "calendar_day", "eu-1182-71", place)
    for moment, _ in moments(len(place)):
        end, day = engine(moment), oracle.days(moment.day, 14)
        assert end.conservative.day == day
        assert end.legal.day == oracle.rolled(day, place)


@pytest.mark.parametrize("value", [1, 2, 12])
def test_months_by_regulation_1182_71(value: int) -> None:
    engine = counted(value, "calendar_month", "eu-1182-71", "DE")
    for moment, _ in moments(value):
        end, day = engine(moment), oracle.months(moment.day, value)
        assert end.conservative.day == day
        assert end.legal.day == oracle.rolled(day, "DE")


def test_days_of_which_the_first_counts() -> None:
    engine = counted(30, "calendar_day", "event-day-counts", "KR")
    for moment, _ in moments(30):
        end, day = engine(moment), oracle.days_with_the_first(moment.day, 30)
        assert end.conservative.day == day
        assert end.legal.day == oracle.rolled(day, "KR")


@pytest.mark.parametrize(("value", "place"), [(5, "US-IA"), (14, "US-VT"), (7, "US"), (3, "BR")])
def test_working_days(value: int, place: str) -> None:
    engine = counted(value, "business_day", "calendar-days", place)
    for moment, _ in moments(value):
        assert engine(moment).legal.day == oracle.working_days(moment.day, value, place)


def test_business_days_of_the_sec() -> None:
    engine = counted(4, "business_day", "sec-business-days", "us_sec_edgar")
    for moment, at in moments(8):
        day = at.astimezone(oracle.NEW_YORK).date()
        if not any(day <= quiet <= day + timedelta(days=9) for quiet in SEC_QUIET):
            assert engine(moment).legal.at == oracle.sec(day, 4)
