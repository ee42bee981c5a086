"""A moment is one clear time or it is refused with what was expected."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.duties.errors import MomentError
from playbooks.duties.moment import instant, parse, start_of, whole

FIRST = datetime(2000, 1, 1, tzinfo=UTC)
MINUTES = st.integers(0, 40 * 365 * 24 * 60)
ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
)


@given(MINUTES, ZONES)
def test_what_is_said_is_read_back(minutes: int, zone: str) -> None:
    at = instant(FIRST + timedelta(minutes=minutes), zone)
    assert parse(at.said()) == at
    assert parse(whole(at.day, zone).said()) == whole(at.day, zone)


@given(MINUTES, ZONES)
def test_a_day_reaches_from_its_first_instant_to_the_next_days(minutes: int, zone: str) -> None:
    day = whole((FIRST + timedelta(minutes=minutes)).date(), zone)
    assert day.first < day.last
    assert day.first.astimezone(ZoneInfo(zone)).date() == day.day
    assert (day.last - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() == day.day
    assert (day.first - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() < day.day


def test_a_midnight_that_a_zone_skipped_is_the_first_instant_after_it() -> None:
    day = whole(datetime(2018, 11, 4, tzinfo=UTC).date(), "America/Sao_Paulo")
    assert day.first == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert start_of(day.day, day.zone).astimezone(ZoneInfo(day.zone)).hour == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-11-20T16:30", "no zone"),
        ("2026-11-20", "no zone"),
        ("2026-11-20T16:30[Europe/Atlantis]", "not a zone"),
        ("2026-11-20T16:30[../../etc/passwd]", "expected"),
        ("2026-03-29T02:30[Europe/Berlin]", "skipped"),
        ("2026-10-25T02:30[Europe/Berlin]", "twice"),
        ("2026-11-20T16:30+05:00[Europe/Berlin]", "does not have the offset"),
        ("2026-02-29[UTC]", "no such day"),
        ("2026-11-20T25:00[UTC]", "no such time"),
        ("2026-11-20T16:30+05:30", "needs its zone"),
        ("yesterday", "expected"),
        ("", "expected"),
    ],
)
def test_what_is_not_one_clear_time_is_refused(text: str, says: str) -> None:
    with pytest.raises(MomentError, match=says):
        parse(text)


def test_an_offset_tells_the_two_apart() -> None:
    one, two = (parse(f"2026-10-25T02:30{o}[Europe/Berlin]") for o in ("+02:00", "+01:00"))
    assert two.first - one.first == timedelta(hours=1)


@pytest.mark.parametrize("offset", ["-11:00", "-01:00", "+00:00", "+03:00", "+14:00"])
def test_an_offset_of_whole_hours_needs_no_zone(offset: str) -> None:
    given_ = datetime.fromisoformat(f"2026-11-20T16:30{offset}")
    assert parse(f"2026-11-20T16:30{offset}").at == given_
    assert parse(f"2026-11-20T16:30{offset}").iso().endswith(offset)
