"""Which days are working days, by whose holidays; the set used is named."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.metadata import version

import holidays

from playbooks.duties.errors import RuleError

# Named calendars beside `CC` and `CC-SUB` (ISO 3166), which the `holidays` library knows.
_NAMED = {
    "us_federal": "US",
    "us_sec_edgar": "US",
    "us_ia": "US-IA",
    "us_vt": "US-VT",
    "br_national": "BR",
    "co_national": "CO",
    "cr_national": "CR",
}
# EDGAR did not take filings (or they did not count) on days that are no federal holidays: days of
# mourning, and executive orders that closed federal departments. From memory.
_SEC_CLOSED = {
    date(2018, 12, 5): "day of mourning",
    date(2024, 12, 24): "federal departments closed by executive order",
    date(2025, 1, 9): "day of mourning",
}
# Japan's public offices are closed from 29 December to 3 January (Act on Holidays of
# Administrative Organs, Article 1).
_YEAR_END = {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}


@dataclass(frozen=True)
class Calendar:
    """Working days of a place: not its weekend, not its public holidays, not its closures."""

    name: str
    holidays: Mapping[date, str] = field(repr=False, compare=False)
    weekend: frozenset[int] = frozenset({5, 6})
    closed: Mapping[date, str] = field(default_factory=dict, repr=False, compare=False)
    used: str = ""

    def why_closed(self, day: date) -> str | None:
        """Return why the day is no working day, or None where it is one."""
        if day.weekday() in self.weekend:
            return day.strftime("%A")
        if day in self.closed:
            return self.closed[day]
        if self.name == "JP" and (day.month, day.day) in _YEAR_END:
            return "offices are closed at the year's end"
        return self.holidays.get(day)

    def is_working(self, day: date) -> bool:
        """Return whether the day is a working day."""
        return self.why_closed(day) is None

    def next_working(self, day: date) -> date:
        """Return the day itself where it is a working day, else the next that is."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def previous_working(self, day: date) -> date:
        """Return the day itself where it is a working day, else the last one before it."""
        while not self.is_working(day):
            day -= timedelta(days=1)
        return day


WEEKENDS = Calendar("weekends", {}, used="Saturdays and Sundays only; no holidays are known")


@functools.cache
def calendar(name: str) -> Calendar:
    """Return the calendar of that name. Raises RuleError where there is none."""
    place, _, subdivision = _NAMED.get(name, name).partition("-")
    try:
        found = holidays.country_holidays(place, subdiv=subdivision or None)
    except NotImplementedError:
        raise RuleError(f"there is no calendar called {name}") from None
    closed = _SEC_CLOSED if name == "us_sec_edgar" else {}
    used = f"{_NAMED.get(name, name)} of holidays {version('holidays')}"
    return Calendar(name, found, frozenset(found.weekend), closed, used)
