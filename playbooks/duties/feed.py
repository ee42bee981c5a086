"""A calendar of what is due, as iCalendar (RFC 5545): instants in UTC, days as days, reminders."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from playbooks.duties.duty import DISCLAIMER
from playbooks.duties.errors import DutiesError, MomentError
from playbooks.duties.moment import Moment

_BEFORE_AN_INSTANT = (timedelta(hours=24), timedelta(hours=4))
_BEFORE_A_DAY = (timedelta(days=3), timedelta(days=1))
# RFC 5545, 3.3.11 and 3.1: TEXT holds no control characters but tab and an escaped line break.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Entry:
    """One date of the calendar; `uid` stays the same when the date moves.

    `said` tells in words how the date came about; `conservative` tells the date to act on from
    the last lawful one.
    """

    uid: str
    title: str
    due: Moment
    said: str
    conservative: bool
    url: str | None = None


def feed(entries: Iterable[Entry], now: datetime) -> bytes:
    """Return the calendar as of `now` (aware). Same entries in any order, same bytes.

    Instants are cut to whole seconds, for iCalendar has no finer ones. Raises MomentError for a
    `now` without a zone, DutiesError where two entries have one uid or an address is none.
    """
    if now.tzinfo is None:
        raise MomentError(f"{now.isoformat()}: a time with its zone was expected, such as UTC")
    by_uid: dict[str, Entry] = {}
    for entry in entries:
        if by_uid.setdefault(entry.uid, entry) is not entry:
            raise DutiesError(f"{entry.uid}: two entries have this uid; give each its own")
    calendar = Calendar()
    calendar.add("prodid", "-//Stanch//Notification duties//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", "Notification duties")
    calendar.add("x-wr-calname", "Notification duties")
    for entry in sorted(by_uid.values(), key=lambda e: (e.due.last, e.uid)):
        calendar.add_component(_event(entry, now))
    packed: bytes = calendar.to_ical()
    return packed


def _event(entry: Entry, now: datetime) -> Event:
    event = Event()
    event.add("uid", _text(entry.uid))
    event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
    if entry.due.at is None:
        event.add("dtstart", entry.due.day)
    else:
        event.add("dtstart", entry.due.at.astimezone(UTC).replace(microsecond=0))
    event.add("summary", _text(entry.title))
    meant = "Act on this date" if entry.conservative else "Last lawful moment"
    lines = (f"{meant}: {entry.due.said()}", entry.said, DISCLAIMER)
    event.add("description", _text("\n".join(lines)))
    event.add("categories", ["act" if entry.conservative else "latest"])
    # It takes nobody's time: a date, not a meeting.
    event.add("transp", "TRANSPARENT")
    if entry.url:
        if _CONTROL.search(entry.url) or "\n" in entry.url:
            raise DutiesError(f"{entry.uid}: {entry.url!r} is no address; take its line breaks out")
        event.add("url", entry.url)
    for before in _BEFORE_A_DAY if entry.due.at is None else _BEFORE_AN_INSTANT:
        event.add_component(_alarm(entry, before))
    return event


def _alarm(entry: Entry, before: timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -before)
    alarm.add("description", _text(entry.title))
    return alarm


def _text(said: str) -> str:
    """Return the text with each control character shown as the sign for one unknown."""
    return _CONTROL.sub("\ufffd", said.replace("\r\n", "\n").replace("\r", "\n"))
