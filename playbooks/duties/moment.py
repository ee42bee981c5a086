"""Times and days as people give them, each with its zone; what is not one clear time is refused."""

import functools
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from playbooks.duties.errors import MomentError

_FORM = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?P<offset>Z|[+-]\d{2}:\d{2})?)?"
    r"(?:\[(?P<zone>[A-Za-z0-9_+\-/]+)\])?",
    re.ASCII,
)
EXAMPLE = "such as 2026-11-20T16:30[Europe/Berlin] or 2026-11-20[Europe/Berlin]"
_EXPECTED = f"a time or a day with its zone was expected, {EXAMPLE}"
# Nothing that a breach starts or ends lies outside; a year such as 0206 or 2206 is a slip.
_YEARS = range(1990, 2101)
# Files beside the zones that `zoneinfo` opens too: the machine's own zone, leap seconds, none.
_NO_PLACE = re.compile(r"(?:right|posix)/.*|localtime|posixrules|Factory")


@dataclass(frozen=True)
class Moment:
    """An instant (`at`, aware) or a whole day (`day`), and the zone in which it is meant."""

    zone: str
    at: datetime | None = None
    on: date | None = None

    @property
    def day(self) -> date:
        """Return the day, in the zone."""
        return self.on or self.first.astimezone(zone(self.zone)).date()

    @property
    def first(self) -> datetime:
        """Return the instant, or the first instant of the day; aware UTC."""
        return self.at.astimezone(UTC) if self.at else start_of(self.day, self.zone)

    @property
    def last(self) -> datetime:
        """Return the instant, or the end of the day (the start of the next); aware UTC."""
        return self.at.astimezone(UTC) if self.at else start_of(self.day + _DAY, self.zone)

    def said(self) -> str:
        """Return the moment as the command line takes it."""
        return f"{self.iso()}[{self.zone}]"

    def iso(self) -> str:
        """Return ISO 8601: a local time with its offset, or a day."""
        if self.at is None:
            return self.day.isoformat()
        local = self.at.astimezone(zone(self.zone))
        exact = local.second or local.microsecond
        return local.isoformat() if exact else local.isoformat(timespec="minutes")

    def json(self) -> str | dict[str, str]:
        """Return an instant as text, a day as an object of `date` and `zone`."""
        if self.at is None:
            return {"date": self.day.isoformat(), "zone": self.zone}
        return self.iso()


_DAY = timedelta(days=1)


def placed(moment: Moment, place: str) -> Moment:
    """Return an instant that came as UTC or with an offset in the place's zone; others unchanged.

    The day of an event is the day where it is judged, and an offset alone is no place.
    """
    no_place = moment.zone == "UTC" or moment.zone.startswith("Etc/")
    return replace(moment, zone=place) if moment.at is not None and no_place else moment


def readings(moment: Moment, place: str) -> tuple[Moment, ...]:
    """Return the moment as the place has it, then as it was written, where that is elsewhere.

    A day that was written without a time is that day in the place too.
    """
    if moment.zone == place:
        return (moment,)
    there = whole(moment.day, place) if moment.at is None else instant(moment.at, place)
    return there, moment


def instant(at: datetime, name: str) -> Moment:
    """Return the instant, meant in that zone."""
    return Moment(name, at=at)


def whole(day: date, name: str) -> Moment:
    """Return the whole day, in that zone."""
    return Moment(name, on=day)


def parse(text: str) -> Moment:
    """Return what `2026-11-20T16:30[Europe/Berlin]`, `...T09:00Z` or `2026-11-16[Zone]` says.

    Raises MomentError for a time without a zone, an unknown zone, a local time that the zone
    skipped, or one that it had twice and that no offset tells apart.
    """
    found = _FORM.fullmatch(text.strip())
    text = text if len(text) <= 80 else f"{text[:80]}..."
    if not found:
        raise MomentError(f"{text}: {_EXPECTED}")
    day = _date(found["day"], text)
    offset, name = found["offset"], found["zone"]
    if name is not None:
        zone(name)
    elif offset is None:
        raise MomentError(f"{text}: it has no zone; {_EXPECTED}")
    if found["time"] is None:
        return Moment(name or "UTC", on=day)
    try:
        local = datetime.fromisoformat(f"{found['day']}T{found['time']}")
    except ValueError:
        raise MomentError(f"{text}: there is no such time of day; {_EXPECTED}") from None
    if name is not None and offset is None:
        return Moment(name, at=_unambiguous(local, name, text))
    if offset != "Z" and not _offset_is_one(offset):
        raise MomentError(f"{text}: no place has the offset {offset}; {_EXPECTED}")
    given = datetime.fromisoformat(local.isoformat() + str(offset).replace("Z", "+00:00"))
    return _agreeing(given, name, offset, text)


@functools.cache
def zone(name: str) -> ZoneInfo:
    """Return the zone. Raises MomentError for a name that the IANA database does not have."""
    try:
        if not _NO_PLACE.fullmatch(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise MomentError(
        f"{name} is not a zone of the IANA database; write one such as Europe/Berlin or UTC"
    )


def start_of(day: date, name: str) -> datetime:
    """Return the first instant of a day in the zone, aware UTC."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone(name))
    found = local.astimezone(UTC)
    while found.astimezone(zone(name)).date() < day:
        found += timedelta(minutes=15)
    return found


def _date(text: str, whole_text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise MomentError(f"{whole_text}: there is no such day; {_EXPECTED}") from None
    if day.year not in _YEARS:
        span = f"{_YEARS[0]} to {_YEARS[-1]}"
        raise MomentError(f"{whole_text}: the year is none of {span}; correct it")
    return day


def _unambiguous(local: datetime, name: str, text: str) -> datetime:
    first, second = (local.replace(tzinfo=zone(name), fold=fold) for fold in (0, 1))
    there = [c.astimezone(UTC) for c in (first, second)]
    if all(c.astimezone(zone(name)).replace(tzinfo=None) != local for c in there):
        raise MomentError(
            f"{text}: {name} skipped this time when its clocks went forward; correct it"
        )
    if there[0] != there[1]:
        raise MomentError(
            f"{text}: {name} had this time twice when its clocks went back; add the offset, as in "
            f"{local.isoformat(timespec='minutes')}{_offset(first)}[{name}] or {_offset(second)}"
        )
    return there[0]


def _offset(moment: datetime) -> str:
    return moment.isoformat()[-6:]


def _offset_is_one(offset: str) -> bool:
    hours, minutes = int(offset[1:3]), int(offset[4:])
    return minutes < 60 and -12 * 60 <= int(f"{offset[0]}{hours * 60 + minutes}") <= 14 * 60


def _agreeing(given: datetime, name: str | None, offset: str, text: str) -> Moment:
    if name is None:
        return Moment("UTC" if offset == "Z" else _fixed(given), at=given.astimezone(UTC))
    if offset != "Z" and given.astimezone(zone(name)).utcoffset() != given.utcoffset():
        raise MomentError(
            f"{text}: {name} does not have the offset {offset} then; drop one of them"
        )
    return Moment(name, at=given.astimezone(UTC))


def _fixed(given: datetime) -> str:
    """Return a zone of a fixed offset; IANA has those of whole hours, with the sign turned."""
    hours, rest = divmod(int((given.utcoffset() or timedelta()).total_seconds()), 3600)
    if rest:
        raise MomentError(
            f"{given.isoformat()}: an offset of no whole hour needs its zone, such as Asia/Kolkata"
        )
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"
