"""An old key is left only when the new one works for somebody and none of the old does."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.sources.access_key_use import KeyUse
from playbooks.rotation.abuse import abuse
from playbooks.rotation.access_key import spare_of
from playbooks.rotation.leaving import left

START = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
QUIET = timedelta(hours=1)
MINUTES = st.integers(-300, 600)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def use(key: str, minutes: int | None = None, *, active: bool = True, made: str = "1") -> KeyUse:
    return KeyUse(key, active, made, "" if minutes is None else at(minutes).isoformat(), "s3", "r")


@given(MINUTES, MINUTES, MINUTES)
def test_nothing_is_left_that_was_used_within_the_quiet_time(new, old, looked):
    found = left([use("new", new), use("old", old)], "new", START, at(looked), QUIET)
    assert found == (new >= 0 and looked >= 60 and at(old) < at(looked) - QUIET)


@given(st.none() | MINUTES, MINUTES)
def test_as_long_as_nobody_used_the_new_one_nothing_is_left(old, looked):
    assert not left([use("new"), use("old", old)], "new", START, at(looked), QUIET)
    assert not left([use("new", -1), use("old", old)], "new", START, at(looked), QUIET)


@given(MINUTES.filter(lambda n: n >= 0))
def test_an_old_one_that_was_never_used_holds_nothing_up(new):
    assert left([use("new", new), use("old")], "new", START, at(new + 60), QUIET)


def test_the_key_that_makes_room_is_the_one_that_is_missed_least():
    idle, busy, off = use("idle"), use("busy", 5), use("off", 9, active=False)
    assert spare_of((busy,)) is None
    assert spare_of((busy, idle)) == idle
    assert spare_of((off, idle)) == off
    older = use("older", 1)
    assert spare_of((busy, older)) == older
    assert spare_of((use("b", made="2"), use("a", made="1"))).key == "a"


@pytest.mark.parametrize(
    ("type", "abused"),
    [
        ("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", True),
        ("Exfiltration:S3/AnomalousBehavior", True),
        ("Policy:IAMUser/RootCredentialUsage", False),
        ("Backdoor:EC2/C&CActivity.B", False),
    ],
)
def test_only_a_finding_that_tells_of_use_by_others_is_abuse(type, abused):
    alert = {"finding_info": {"types": [type]}}
    assert bool(abuse(alert)) == abused
    assert abuse(alert | {"metadata": {"is_sample": True}}) == ""


def test_an_incident_that_a_person_opened_tells_of_none():
    assert abuse({}) == ""
