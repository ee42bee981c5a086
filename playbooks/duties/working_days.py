"""Which days are working days, by whose holidays; the set used is named."""

import functools
from collections.abc import Callable, Mapping
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
    date(2025, 12, 24): "federal departments closed by executive order",
    date(2025, 12, 26): "federal departments closed by executive order",
}
# Japan's public offices are closed from 29 December to 3 January (Act on Holidays of
# Administrative Organs, Article 1).
_YEAR_END = {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# Each EEA state's zone: that of its seat of government.
MEMBER_ZONES = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "BG": "Europe/Sofia",
    "CY": "Asia/Nicosia",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "EE": "Europe/Tallinn",
    "ES": "Europe/Madrid",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GR": "Europe/Athens",
    "HR": "Europe/Zagreb",
    "HU": "Europe/Budapest",
    "IE": "Europe/Dublin",
    "IS": "Atlantic/Reykjavik",
    "IT": "Europe/Rome",
    "LI": "Europe/Vaduz",
    "LT": "Europe/Vilnius",
    "LU": "Europe/Luxembourg",
    "LV": "Europe/Riga",
    "MT": "Europe/Malta",
    "NL": "Europe/Amsterdam",
    "NO": "Europe/Oslo",
    "PL": "Europe/Warsaw",
    "PT": "Europe/Lisbon",
    "RO": "Europe/Bucharest",
    "SE": "Europe/Stockholm",
    "SI": "Europe/Ljubljana",
    "SK": "Europe/Bratislava",
}


@dataclass(frozen=True)
class Calendar:
    """Working days of a place: not its weekend, not its public holidays, not its closures."""

    name: str
    holiday: Callable[[date], str | None] = field(repr=False, compare=False)
    weekend: frozenset[int] = frozenset({5, 6})
    closed: Mapping[date, str] = field(default_factory=dict, repr=False, compare=False)
    used: str = ""

    def why_closed(self, day: date) -> str | None:
        """Return why the day is no working day, or None where it is one."""
        if day.weekday() in self.weekend:
            return _DAYS[day.weekday()]
        if day in self.closed:
            return self.closed[day]
        if self.name == "JP" and (day.month, day.day) in _YEAR_END:
            return "offices are closed at the year's end"
        return self.holiday(day)

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


WEEKENDS = Calendar(
    "weekends", lambda day: None, used="Saturdays and Sundays only; no holidays are known"
)


@functools.cache
def calendar(name: str) -> Calendar:
    """Return the calendar of that name. Raises RuleError where there is none."""
    place, _, subdivision = _NAMED.get(name, name).partition("-")
    try:
        found = holidays.country_holidays(place, subdiv=subdivision or None)
    except NotImplementedError:
        raise RuleError(f"there is no calendar called {name}") from None
    closed = _SEC_CLOSED if name == "us_sec_edgar" else {}
    if name == "AU":
        return Calendar(name, _everywhere(place), used=_used(f"all parts of {place}"))
    used = _used(_NAMED.get(name, name))
    return Calendar(name, found.get, frozenset(found.weekend), closed, used)


def _everywhere(place: str) -> Callable[[date], str | None]:
    """Return what is a holiday in every part of a country.

    Australia's national set leaves out the Mondays that stand in for a holiday on a weekend, though
    each state has them.
    """
    parts = [
        holidays.country_holidays(place, subdiv=part)
        for part in holidays.country_holidays(place).subdivisions
    ]

    def holiday(day: date) -> str | None:
        names = [part.get(day) for part in parts]
        return names[0] if all(names) else None

    return holiday


def _used(name: str) -> str:
    return f"{name} of holidays {version('holidays')}"
