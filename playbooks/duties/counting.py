"""Counts a period from a moment to its end, by the counting rule that the law names.

Hours run on UTC; days, working days and months on the calendar of the moment's zone. The two are
never converted into each other.
"""

import calendar as months
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from playbooks.duties.duty import Alternative
from playbooks.duties.moment import Moment, instant, whole, zone
from playbooks.duties.rule import Counting, Unit
from playbooks.duties.working_days import Calendar

SEC_ZONE = "America/New_York"
# Regulation S-T, 17 CFR 232.13(a)(2): what arrives after 17:30 Eastern counts as of the next day.
SEC_CUT_OFF = time(17, 30)
NOON = time(12)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
HOURS = {"minute": timedelta(minutes=1), "clock_hour": _HOUR}
_SAID = {
    "minute": "minutes",
    "clock_hour": "hours",
    "calendar_day": "calendar days",
    "business_day": "business days",
    "working_day": "working days",
    "calendar_month": "months",
}


@dataclass(frozen=True)
class End:
    """The end of a period on the strictest reading, and by the rule named; how it came about."""

    conservative: Moment
    legal: Moment
    rule: str
    steps: tuple[str, ...]
    alternatives: tuple[Alternative, ...] = ()


def said(value: int, unit: Unit) -> str:
    """Return a length in words."""
    words = _SAID[unit]
    return f"{value} {words.removesuffix('s') if value == 1 else words}"


def count(start: Moment, value: int, unit: Unit, how: Counting, days: Calendar) -> End:
    """Return when the period ends. `days` is whose working days count."""
    if unit in HOURS:
        return _hours(start, HOURS[unit] * value, said(value, unit), how)
    if unit in ("business_day", "working_day"):
        if how == "sec-business-days":
            return _sec_days(start, value, days)
        return _working_days(start, value, unit, days)
    if unit == "calendar_month":
        day = add_months(start.day, value)
        step = f"{said(value, unit)} from {start.iso()}: the same date, or the month's last: {day}"
        return _day_end(start, day, how, days, step)
    if how == "event-day-counts":
        day = start.day + _DAY * (value - 1)
        step = f"{said(value, unit)}, {start.day} being the first: {day}"
    else:
        day = start.day + _DAY * value
        step = f"{said(value, unit)}, {start.day} not being counted: {day}"
    return _day_end(start, day, how, days, step)


def add_months(day: date, count_: int) -> date:
    """Return the same date so many months on, or that month's last day where it has no such date.

    Source: Regulation (EEC, Euratom) No 1182/71, Article 3(2)(c).
    """
    year, month = divmod(day.year * 12 + day.month - 1 + count_, 12)
    return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


def noon_relief(end: End, days: Calendar, place: str) -> End:
    """Return the end moved to noon of the next working day there, if it falls on no working day.

    Source: Delegated Regulation (EU) 2025/301, Article 5(4).
    """
    last = end.legal.day if end.legal.at is None else end.legal.at.astimezone(zone(place)).date()
    why = days.why_closed(last)
    if why is None:
        return end
    moved = instant(datetime.combine(days.next_working(last), NOON, zone(place)), place)
    step = (
        f"{last} is no working day ({why}); Art. 5(4) lets the report come by noon of the "
        f"next one: {moved.iso()} ({days.used})"
    )
    return replace(end, conservative=moved, legal=moved, steps=(*end.steps, step))


def _hours(start: Moment, length: timedelta, words: str, how: Counting) -> End:
    first = start.first
    steps: tuple[str, ...] = ()
    if start.at is None:
        steps = (f"the hour of {start.day} is not known: counted from its first, to be safe",)
    elapsed = instant(first + length, start.zone)
    rounded = instant(_next_hour(first, start.zone) + length, start.zone)
    steps += (f"{words} as they elapse, weekends and holidays too: {elapsed.iso()}",)
    if how != "eu-1182-71":
        return End(elapsed, elapsed, "elapsed hours", steps)
    steps += (
        "Reg. 1182/71 Art. 3(1): the hour of the event is not counted, so the period runs from "
        f"{instant(rounded.first - length, start.zone).iso()} to {rounded.iso()}; Art. 3(4) does "
        "not move a period of hours",
    )
    other = Alternative("conservative_elapsed", elapsed, "Elapsed hours from the event itself")
    return End(elapsed, rounded, "Reg. 1182/71, hours", steps, (other,))


def rounded_hours(start: Moment, value: int, unit: Unit) -> Alternative:
    """Return the end by Reg. 1182/71 Art. 3(1), for laws to which its use is disputed."""
    end = instant(_next_hour(start.first, start.zone) + HOURS[unit] * value, start.zone)
    return Alternative("eu_1182_71", end, "The hour of the event not counted (Art. 3(1)); disputed")


def _next_hour(at: datetime, name: str) -> datetime:
    local = at.astimezone(zone(name))
    return (
        at
        - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        + _HOUR
    )


def _day_end(start: Moment, day: date, how: Counting, days: Calendar, step: str) -> End:
    end = whole(day, start.zone)
    why = days.why_closed(day)
    if how in ("eu-1182-71", "event-day-counts"):
        return _rolled(end, day, how, days, step)
    if why is None or how == "dora-art-5":
        return End(end, end, "calendar days", (step,))
    earlier = Alternative(
        "previous_working_day",
        whole(days.previous_working(day), start.zone),
        f"{day} is no working day ({why}), and no text seen moves the end: plan for this day",
    )
    return End(end, end, "calendar days", (step, earlier.says), (earlier,))


def _rolled(end: Moment, day: date, how: Counting, days: Calendar, step: str) -> End:
    rule = "Reg. 1182/71, days" if how == "eu-1182-71" else "the event's day counts"
    why = days.why_closed(day)
    if why is None:
        return End(end, end, rule, (step,))
    later = whole(days.next_working(day), end.zone)
    source = "Reg. 1182/71 Art. 3(4)" if how == "eu-1182-71" else "the authority's guideline"
    moved = (
        f"{day} is no working day ({why}); by {source} the period ends with the next one: "
        f"{later.day} ({days.used})"
    )
    other = Alternative("not_moved", end, "The end not moved off the weekend or holiday")
    return End(end, later, rule, (step, moved), (other,))


def _working_days(start: Moment, value: int, unit: Unit, days: Calendar) -> End:
    day, left, skipped = start.day, value, list[str]()
    while left:
        day += _DAY
        why = days.why_closed(day)
        if why is None:
            left -= 1
        elif day.weekday() not in days.weekend:
            skipped.append(f"{day} ({why})")
    end = whole(day, start.zone)
    step = f"{said(value, unit)}, {start.day} not being counted: {day} ({days.used})"
    if skipped:
        step += f"; left out: {', '.join(skipped)}"
    return End(end, end, "working days", (step,))


def _sec_days(start: Moment, value: int, days: Calendar) -> End:
    """Form 8-K, General Instruction B.1: an event on no business day starts the period on, and

    including, the first business day thereafter.
    """
    event = start.at.astimezone(zone(SEC_ZONE)).date() if start.at else start.day
    first = days.next_working(event + _DAY) if days.is_working(event) else days.next_working(event)
    day, left = first, value - 1
    while left:
        day = days.next_working(day + _DAY)
        left -= 1
    end = instant(datetime.combine(day, SEC_CUT_OFF, zone(SEC_ZONE)), SEC_ZONE)
    begun = (
        f"{event} is not counted; the first business day is {first}"
        if days.is_working(event)
        else f"{event} is no business day ({days.why_closed(event)}): the period begins on, and "
        f"includes, {first}"
    )
    steps = (
        begun,
        f"business day {value} is {day}; EDGAR takes it until {end.iso()} ({days.used})",
    )
    return End(end, end, "Form 8-K General Instruction B.1", steps)
