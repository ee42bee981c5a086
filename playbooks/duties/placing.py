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
        each = (start, read[0]) if start.at is not None else (start,)
        return min((count(r, value, unit, how, days) for r in each), key=lambda e: e.legal.first)
    there = count(read[0], value, unit, how, days)
    early = there.conservative
    for other in read[1:]:
        if other.day != read[0].day:
            here = count(other, value, unit, how, days).conservative
        else:
            # The same date, which ends here at another time.
            here = replace(there.conservative, zone=other.zone)
        early = min(early, here, key=lambda m: m.last)
    if early.last == there.conservative.last:
        return there
    return replace(there, conservative=early, steps=(*there.steps, elsewhere(ask.zone)))


def elsewhere(place: str) -> str:
    """Return the step that says why the date to act on is another than the law's."""
    return f"the day is that of {place}, where the law counts; act by the earlier of both"
