"""The calendar says each date as it is, reminds before it, and is the same for the same entries."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from playbooks.duties.duty import DISCLAIMER
from playbooks.duties.errors import DutiesError, MomentError
from playbooks.duties.feed import Entry, feed
from playbooks.duties.moment import Moment, instant, whole

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"])
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)
INSTANTS = st.builds(
    lambda at, zone: instant(at.replace(microsecond=0, tzinfo=UTC), zone),
    st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001  (a zone is put on it)
    ZONES,
)
DAYS = st.builds(whole, st.dates(date(2020, 1, 1), date(2099, 1, 1)), ZONES)
ENTRIES = st.lists(
    st.builds(
        Entry,
        st.uuids().map(str),
        TEXT,
        st.one_of(INSTANTS, DAYS),
        TEXT,
        st.booleans(),
        st.none() | st.just("https://stanch.example/duties/1?a=b,c"),
    ),
    unique_by=lambda e: e.uid,
)


def at(due: Moment) -> datetime | date:
    return due.day if due.at is None else due.at


@given(ENTRIES)
def test_each_date_comes_back_as_it_was_with_its_reminders(entries: list[Entry]) -> None:
    events = {str(e["uid"]): e for e in Calendar.from_ical(feed(entries, NOW)).events}
    assert events.keys() == {e.uid for e in entries}
    for entry in entries:
        event = events[entry.uid]
        assert event.decoded("dtstart") == at(entry.due)
        assert type(event.decoded("dtstart")) is type(at(entry.due))
        assert str(event["summary"]) == entry.title
        assert event.decoded("dtstamp") == NOW
        for part in (entry.said, entry.due.said(), DISCLAIMER):
            assert part in str(event["description"])
        days = entry.due.at is None
        hours = {72, 24} if days else {24, 4}
        triggers = {alarm.decoded("trigger") for alarm in event.walk("VALARM")}
        assert triggers == {-timedelta(hours=h) for h in hours}
        assert event.get("url") == entry.url


@given(ENTRIES, st.randoms())
def test_the_order_of_the_entries_does_not_matter(entries: list[Entry], chance: object) -> None:
    turned = list(entries)
    chance.shuffle(turned)  # type: ignore[attr-defined]
    assert feed(turned, NOW) == feed(entries, NOW)


@given(ENTRIES)
def test_lines_are_as_the_format_wants_them(entries: list[Entry]) -> None:
    """RFC 5545, 3.1: lines of at most 75 octets, ended by CRLF."""
    packed = feed(entries, NOW)
    assert packed.endswith(b"\r\n")
    for line in packed.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
        line.decode()


def entry(**changed: object) -> Entry:
    given = {"uid": "a@b", "title": "t", "due": instant(NOW, "UTC"), "said": "s"}
    return Entry(**{**given, "conservative": True, **changed})  # type: ignore[arg-type]


def test_an_instant_is_written_in_utc_and_a_day_as_a_day() -> None:
    there = instant(datetime(2026, 11, 23, 16, 30, 15, 999999, tzinfo=UTC), "Europe/Berlin")
    assert b"DTSTART:20261123T163015Z\r\n" in feed([entry(due=there)], NOW)
    day = whole(date(2026, 11, 24), "Asia/Tokyo")
    assert b"DTSTART;VALUE=DATE:20261124\r\n" in feed([entry(due=day)], NOW)


def test_a_title_adds_no_line_of_its_own() -> None:
    bad = "x\r\nATTACH:https://evil.example\x00\x1b[0m;,\\"
    packed = feed([entry(title=bad, uid="a\r\nb", said=bad)], NOW)
    assert not re.search(rb"^(ATTACH|b\r)", packed, re.M)
    (event,) = Calendar.from_ical(packed).events
    assert str(event["summary"]) == "x\nATTACH:https://evil.example\ufffd\ufffd[0m;,\\"


def test_an_address_with_a_line_break_is_refused() -> None:
    for bad in ("https://x.example/\r\nATTACH:b", "https://x.example/\nb", "\x00"):
        with pytest.raises(DutiesError, match="no address"):
            feed([entry(url=bad)], NOW)


def test_a_date_to_act_on_is_told_from_the_last_lawful_one() -> None:
    assert b"Act on this date" in feed([entry()], NOW)
    assert b"Last lawful moment" in feed([entry(conservative=False)], NOW)


def test_one_uid_for_two_entries_and_a_time_without_zone_are_refused() -> None:
    with pytest.raises(DutiesError, match="a@b"):
        feed([entry(), entry(title="other")], NOW)
    with pytest.raises(MomentError, match="zone"):
        feed([], NOW.replace(tzinfo=None))
