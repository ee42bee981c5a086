"""When to remind whom of an open clock: each time once, from the clocks and a given now. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

# How long before the date, how that is said, and whether who leads is told too.
_BEFORE = (
    (timedelta(hours=24), "24 h left", False),
    (timedelta(hours=4), "4 h left", True),
    (timedelta(hours=1), "1 h left", True),
)
_MINUTE = timedelta(minutes=1)
_AT = attrgetter("at")
OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Ticking:
    """An open clock: since when its date stands, the date, how many reminders were told, whose."""

    duty: str
    since: datetime
    due: datetime
    told: int = 0
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder that is due. `told` is how many of the clock's are told once this one is."""

    duty: str
    label: str
    due: datetime
    whom: tuple[str, ...]
    told: int


@dataclass(frozen=True, slots=True)
class Point:
    """A time at which somebody is reminded; `late` ones go to who leads as well."""

    at: datetime
    label: str
    late: bool


def points(since: datetime, due: datetime) -> tuple[Point, ...]:
    """Return when to remind, in order: half-way, 24 h, 4 h, 1 h before the date, and once past it.

    Those before the date stood are left out: of a date that is near, only what lies ahead is told.
    """
    found = [Point(due - before, label, late) for before, label, late in _BEFORE]
    half = since + (due - since) / 2
    if not any(-_MINUTE < half - p.at < _MINUTE for p in found):
        found.append(Point(half, "half the time left", False))
    ahead = sorted((p for p in found if since < p.at < due), key=_AT)
    return (*ahead, Point(due, OVERDUE, True))


def tick(clocks: Iterable[Ticking], now: datetime, lead: str = "") -> Iterator[Reminder]:
    """Yield the newest reminder of each clock that is due now and was not told.

    The owner is told; who leads as well from 4 h on, and where there is no owner.
    """
    for clock in clocks:
        passed = [p for p in points(clock.since, clock.due) if p.at <= now]
        if len(passed) <= clock.told:
            continue
        point = passed[-1]
        both = (clock.owner, lead if point.late or not clock.owner else "")
        whom = tuple(dict.fromkeys(name for name in both if name))
        yield Reminder(clock.duty, point.label, clock.due, whom, len(passed))


def upcoming(clocks: Iterable[Ticking], now: datetime) -> datetime | None:
    """Return when the next reminder is due, after now; None where none is."""
    running = (clock for clock in clocks if clock.due > now)
    ahead = (p.at for clock in running for p in points(clock.since, clock.due) if p.at > now)
    return min(ahead, default=None)
