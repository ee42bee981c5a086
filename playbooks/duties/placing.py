"""Counts a period where the law counts it, from an event that was written down elsewhere."""

from dataclasses import replace

from playbooks.duties.ask import Ask
from playbooks.duties.counting import HOURS, End, count
from playbooks.duties.moment import Moment, readings
from playbooks.duties.rule import Unit


def in_place(ask: Ask, start: Moment, value: int, unit: Unit) -> End:
    """Return the end as the law's place counts it; to act on, the earliest of there and here.

    The same event may lie on another day there, and the same day ends there at another time.
    """
    how, days = ask.how(unit), ask.days()
    read = readings(ask.placed(start, unit), ask.zone)
    if unit in HOURS:
        # An hour lasts as long everywhere; which one is not counted may be another there.
        rounded = how == "eu-1182-71" and start.at is not None
        each = (start, read[0]) if rounded else (start,)
        return min((count(r, value, unit, how, days) for r in each), key=lambda e: e.legal.first)
    there = count(read[0], value, unit, how, days)
    for other in read[1:]:
        here = count(other, value, unit, how, days) if other.day != read[0].day else None
        there = _told_here(there, other.zone) if here is None else _earlier(there, here, ask.zone)
    return there


def _told_here(there: End, zone: str) -> End:
    """Return the same date in the zone that it was written in, if it does not end later there."""
    here = replace(there.conservative, zone=zone)
    if there.conservative.on is None or here.last > there.conservative.last:
        return there
    others = tuple(replace(a, due=replace(a.due, zone=zone)) for a in there.alternatives)
    legal = replace(there.legal, zone=zone)
    return replace(there, conservative=here, legal=legal, alternatives=others)


def _earlier(there: End, here: End, place: str) -> End:
    if here.conservative.last >= there.conservative.last:
        return there
    steps = (*there.steps, elsewhere(place))
    return replace(there, conservative=here.conservative, steps=steps)


def elsewhere(place: str) -> str:
    """Return the step that says why the date to act on is another than the law's."""
    return f"the day is that of {place}, where the law counts; act by the earlier of both"
