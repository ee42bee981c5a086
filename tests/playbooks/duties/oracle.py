"""A slow second counting, hour by hour and day by day; it shares nothing with the engine."""

import functools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEW_YORK = ZoneInfo("America/New_York")


@functools.cache
def closed(place: str, day: date) -> bool:
    """Return whether nobody works there that day."""
    country, _, part = place.partition("-")
    return day.weekday() >= 5 or day in _book(country, part)


@functools.cache
def _book(country: str, part: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=part or None)


def hours(at: datetime, count: int) -> datetime:
    """Walk so many hours on UTC."""
    at = at.astimezone(UTC)
    for _ in range(count):
        at += HOUR
    return at


def hours_after_the_events_own(at: datetime, count: int, zone: str) -> datetime:
    """Walk to where the local hour of the event ends, minute by minute, then the hours."""
    at = at.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    while at.astimezone(ZoneInfo(zone)).minute != 0:
        at += timedelta(minutes=1)
    return hours(at, count)


def days(day: date, count: int) -> date:
    """Walk so many days; the first is not counted."""
    for _ in range(count):
        day += DAY
    return day


def days_with_the_first(day: date, count: int) -> date:
    """Walk so many days; the first is counted."""
    seen = 1
    while seen < count:
        day += DAY
        seen += 1
    return day


def months(day: date, count: int) -> date:
    """Walk day by day into the month so many later, to the same number or that month's end."""
    wanted, month, left = day.day, day.month, count
    while left or (day.day != wanted and (day + DAY).month == month):
        day += DAY
        if day.month != month:
            month, left = day.month, left - 1
    return day


def working_days(day: date, count: int, place: str) -> date:
    """Walk until so many working days have passed; the first is not counted."""
    while count:
        day += DAY
        if not closed(place, day):
            count -= 1
    return day


def rolled(day: date, place: str) -> date:
    """Walk on to a working day."""
    while closed(place, day):
        day += DAY
    return day


def sec(day: date, count: int) -> datetime:
    """Walk business days of EDGAR; an event on none begins with, and counts, the first after it."""
    if closed("US", day):
        while closed("US", day):
            day += DAY
        count -= 1
    while count:
        day += DAY
        if not closed("US", day):
            count -= 1
    return datetime.combine(day, time(17, 30), NEW_YORK)
