"""Stanch acts unasked only when nothing at all speaks against it."""

from fnmatch import fnmatchcase

import pytest
from guardduty_findings import (
    FINDINGS,
    as_api,
    bad_caller,
    enveloped,
    finding,
    read,
    tor_client,
)
from hypothesis import given
from hypothesis import strategies as st

from playbooks.intake.automatic import CAUTIOUS_TYPES, AutomaticPolicy, hindrances
from playbooks.intake.known_types import known_types
from playbooks.intake.meaning import meaning

EVERYTHING = AutomaticPolicy(frozenset({"*"}), 1.0)


def against(found, policy=AutomaticPolicy()):  # noqa: B008  (frozen)
    alert = read(found)
    return hindrances(alert, meaning(alert, known_types()), policy)


def test_a_listed_severe_finding_on_a_suspect_host_has_nothing_against_it():
    for form in (tor_client(), as_api(tor_client()), enveloped(as_api(tor_client()))):
        assert against(form) == ()


def changed(*path, value):
    def change():
        found = tor_client()
        inner = found
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        return found

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (changed("type", value="Impact:EC2/PortSweep"), "allow-list"),
        (changed("type", value="Trojan:EC2/InventedTomorrow"), "unknown"),
        (changed("severity", value=6.9), "below the floor"),
        (changed("service", "additionalInfo", value={"sample": True}), "sample"),
        (changed("service", "additionalInfo", value={"value": '{"sample":true}'}), "sample"),
        (changed("service", "additionalInfo", value={"value": "{"}), "may hide"),
        (changed("service", "archived", value=True), "archived"),
        (changed("accountId", value="1234567891234"), "account"),
        (changed("resource", "instanceDetails", "instanceId", value=None), "names no instance"),
        (changed("resource", "instanceDetails", "instanceId", value="i-1"), "instance id"),
        (changed("resource", "resourceType", value="AccessKey"), "not known to be the suspect"),
        (changed("service", "eventLastSeen", value="2030-01-01T00:00:00Z"), "future"),
    ],
)
def test_each_single_doubt_is_enough_and_is_named(change, says):
    hidden = "value" in change()["service"]["additionalInfo"]
    for form in (change(),) if hidden else (change(), as_api(change())):
        reasons = against(form)
        assert any(says in reason for reason in reasons), reasons


@pytest.mark.parametrize("make", FINDINGS)
def test_an_empty_allow_list_allows_nothing(make):
    assert any("allow-list" in r for r in against(make(), AutomaticPolicy(frozenset(), 1.0)))


@pytest.mark.parametrize("known", known_types().values(), ids=lambda known: known.type)
def test_even_when_all_is_allowed_only_a_suspect_of_a_living_type_is_acted_on(known):
    host = tor_client()["resource"]
    found = finding(known.type, host, tor_client()["service"]["action"])
    reasons = against(found, EVERYTHING)
    acting = known.suspect in ("yes", "by_direction") and "instance" in known.resource
    assert (reasons == ()) == (acting and known.status == "active"), reasons


@pytest.mark.parametrize("user_type", ["Root", "AWSAccount", "AWSService"])
def test_nothing_is_done_to_callers_that_iam_cannot_contain(user_type):
    found = bad_caller()
    assert against(found, EVERYTHING) == ()
    found["resource"]["accessKeyDetails"]["userType"] = user_type
    assert any("cannot contain" in reason for reason in against(found, EVERYTHING))


@given(st.floats(1, 10), st.floats(1, 10))
def test_the_floor_is_the_least_that_passes(severity, floor):
    policy = AutomaticPolicy(frozenset({"unauthorizedaccess:ec2/TOR*"}), floor)
    assert (against(tor_client() | {"severity": severity}, policy) == ()) == (severity >= floor)


def test_the_default_list_holds_only_severe_types_of_acting_hosts():
    listed = [
        each
        for each in known_types().values()
        if any(fnmatchcase(each.type, pattern) for pattern in CAUTIOUS_TYPES)
        and each.status == "active"
    ]
    assert len(listed) == 8  # command and control, five floods, Tor twice
    for each in listed:
        assert (each.suspect, each.severity, each.reflex) == ("yes", "high", "isolate")
        assert (each.resource, each.play) == (("instance",), "compromised_instance")


@pytest.mark.parametrize("floor", [0, 0.9, 10.1, float("nan"), float("inf")])
def test_a_floor_off_the_scale_is_refused(floor):
    with pytest.raises(ValueError, match="severity_floor"):
        AutomaticPolicy(severity_floor=floor)


def test_an_empty_type_is_refused():
    with pytest.raises(ValueError, match="allow_types"):
        AutomaticPolicy(allow_types=frozenset({""}))
