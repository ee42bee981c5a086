"""Histories that no range could make, against a second way to tell whose doing they are."""

import json
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.sources import change_kinds
from evidence.sources.following import event_of, findings, followed

ACCOUNT, START = "111122223333", datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE = ("alice", "bob", "carol")


def event(number, who, name, *, service="iam", asked=None, answered=None, error=""):
    """One event as LookupEvents gives it; each a second after the one before."""
    record = {
        "eventTime": (START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "recipientAccountId": ACCOUNT,
        "userIdentity": who,
        "requestParameters": asked,
        "responseElements": answered,
        "readOnly": service == "sts",
    } | ({"errorCode": error} if error else {})
    return {"EventId": f"e{number:04}", "CloudTrailEvent": json.dumps(record)}


def as_user(name, key):
    return {"type": "IAMUser", "accountId": ACCOUNT, "userName": name, "accessKeyId": key}


@st.composite
def histories(draw):
    """Events, and the ids of those that alice or what she made did, worked out going forward."""
    bad = {"AK-alice"}  # keys
    creds = [(name, f"AK-{name}") for name in PEOPLE]
    bad_users = {"alice"}
    made, theirs = [], set()
    for n in range(draw(st.integers(1, 25))):
        name, key = draw(st.sampled_from(creds))
        guilty = key in bad
        error = draw(st.sampled_from(["", "", "", "AccessDenied"]))
        what = draw(st.sampled_from(["user", "key", "rule", "off"]))
        if what == "user":
            new, new_key = f"u{n}", f"AK-u{n}"
            made.append(
                event(n, as_user(name, key), "CreateUser", asked={"userName": new}, error=error)
            )
            if not error:
                creds.append((new, new_key))
                bad |= {new_key} if guilty else set()
                bad_users |= {new} if guilty else set()
        elif what == "key":
            owner = draw(st.sampled_from([c[0] for c in creds]))
            new_key = f"AK-{n}"
            answer = {"accessKey": {"userName": owner, "accessKeyId": new_key}}
            made.append(
                event(
                    n,
                    as_user(name, key),
                    "CreateAccessKey",
                    asked={"userName": owner},
                    answered=None if error else answer,
                    error=error,
                )
            )
            if not error:
                creds.append((owner, new_key))
                bad |= {new_key} if guilty or owner in bad_users else set()
        else:
            event_name = "PutRule" if what == "rule" else "DetachUserPolicy"
            asked = {"name": "r"} if what == "rule" else {"userName": name, "policyArn": "arn:x"}
            service = "events" if what == "rule" else "iam"
            made.append(
                event(n, as_user(name, key), event_name, service=service, asked=asked, error=error)
            )
        if guilty and not error:
            theirs.add(f"e{n:04}")
    return made, theirs


def found_in(made):
    events = [event_of(one) for one in made]
    return findings(followed({("user", "alice"): START}, events), events)


@given(histories(), st.randoms())
def test_exactly_what_alice_and_hers_did_is_found_in_any_order_of_pages(history, chance):
    made, theirs = history
    found = found_in(made)
    assert {one.event for one in found} == theirs
    assert [one.at for one in found] == sorted(one.at for one in found)
    mixed = made + made[: len(made) // 2]
    chance.shuffle(mixed)
    assert found_in(mixed) == found


@given(histories(), st.integers(0, 25))
def test_what_comes_late_adds_and_takes_nothing_away(history, cut):
    made, _ = history
    early = {one.event for one in found_in(made[:cut])}
    assert early <= {one.event for one in found_in(made)}


@pytest.mark.parametrize(("service", "name"), sorted(change_kinds.KNOWN))
def test_each_event_of_the_table_has_a_kind_and_is_found(service, name):
    kind = change_kinds.kind_of(service, name)
    assert kind in set(get_args(change_kinds.Kind)) - {"other", "removal"}
    one = event(0, as_user("alice", "AK"), name, service=service, asked={"userName": "x"})
    assert [f.kind for f in found_in([one])] == [kind]


@given(st.sampled_from(["iam", "lambda", "s3", "kms"]), st.text("ABCdef", min_size=1, max_size=9))
def test_what_the_table_does_not_know_is_shown_all_the_same(service, name):
    one = event(0, as_user("alice", "AK"), name, service=service, asked={"bucketName": "b"})
    assert [(f.kind, f.name, f.what) for f in found_in([one])] == [("other", "b", name)]


@pytest.mark.parametrize("dated", ["CreateFunction20150331", "AddPermission20150331v2"])
def test_lambda_dates_its_events(dated):
    one = event(0, as_user("alice", "AK"), dated, service="lambda", asked={"functionName": "f"})
    assert [(f.kind.partition("_")[0], f.name) for f in found_in([one])] == [("lambda", "f")]


def session(role, name, key, kind="AssumedRole"):
    return {
        "type": kind,
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role}},
    }


ALICE = as_user("alice", "AK")
BOB = as_user("bob", "AK-bob")
OUTSIDE = {"type": "AWSAccount", "accountId": "999988887777", "accessKeyId": "ASIA-out"}
SERVICE = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"


def assumed(number, who, key):
    return event(
        number,
        who,
        "AssumeRole",
        service="sts",
        asked={"roleArn": ROLE, "roleSessionName": "s"},
        answered={"credentials": {"accessKeyId": key}},
    )


# A door, who comes in by it, and whether what they then do is the attacker's doing.
DOORS = [
    ("a trust that let a stranger in", OUTSIDE, "ASIA-1", True),
    ("a trust, and a colleague who had it", BOB, "ASIA-2", False),
    ("a trust, and a service that had it", SERVICE, "ASIA-3", False),
]


@pytest.mark.parametrize(("why", "who", "key", "theirs"), DOORS)
def test_a_stranger_by_the_attackers_door_is_the_attacker(why, who, key, theirs):
    made = [
        event(0, ALICE, "UpdateAssumeRolePolicy", asked={"roleName": "app"}),
        assumed(1, who, key),
        event(2, session("app", "s", key), "CreateUser", asked={"userName": "x"}),
    ]
    found = [one.what for one in found_in(made)]
    assert found == ["UpdateAssumeRolePolicy"] + (["AssumeRole", "CreateUser"] if theirs else [])


def test_what_came_in_before_the_door_was_opened_is_not_the_attackers():
    made = [
        assumed(0, OUTSIDE, "ASIA-1"),
        event(1, ALICE, "UpdateAssumeRolePolicy", asked={"roleName": "app"}),
        event(2, session("app", "s", "ASIA-1"), "CreateUser", asked={"userName": "x"}),
    ]
    assert [one.what for one in found_in(made)] == ["UpdateAssumeRolePolicy"]


LAMBDA = {"functionName": "f", "role": ROLE}
RUN = {"instancesSet": {"items": [{"instanceId": "i-0a"}, {}]}}
BORN = [
    ("lambda", "CreateFunction20150331", LAMBDA, None, session("app", "f", "ASIA-f")),
    ("lambda", "UpdateFunctionCode20150331v2", {}, LAMBDA, session("app", "f", "ASIA-f")),
    ("ec2", "RunInstances", {}, RUN, session("app", "i-0a", "ASIA-i")),
    ("iam", "CreateRole", {"roleName": "app"}, None, session("app", "any", "ASIA-r")),
    (
        "iam",
        "UpdateAccessKey",
        {"accessKeyId": "AK-o", "status": "Active"},
        None,
        as_user("o", "AK-o"),
    ),
    ("iam", "UpdateLoginProfile", {"userName": "o"}, None, as_user("o", "ASIA-console")),
    ("iam", "UpdateUser", {"userName": "alice", "newUserName": "z"}, None, as_user("z", "AK-z")),
]
NOT_BORN = [
    ("lambda", "UpdateFunctionCode20150331v2", {}, LAMBDA, session("app", "g", "ASIA-g")),
    ("lambda", "DeleteFunction20150331", LAMBDA, None, session("app", "f", "ASIA-f")),
    (
        "iam",
        "UpdateAccessKey",
        {"accessKeyId": "AK-o", "status": "Inactive"},
        None,
        as_user("o", "AK-o"),
    ),
    ("iam", "UpdateLoginProfile", {"userName": "o"}, None, as_user("o", "AKIA-own")),
    ("iam", "UpdateUser", {"userName": "o", "newUserName": "z"}, None, as_user("z", "AK-z")),
]


@pytest.mark.parametrize(("service", "name", "asked", "answered", "who"), BORN)
def test_whoever_comes_of_what_the_attacker_did_is_followed(service, name, asked, answered, who):
    made = [
        event(0, ALICE, name, service=service, asked=asked, answered=answered),
        event(1, who, "CreateUser", asked={"userName": "x"}),
    ]
    assert [one.name for one in found_in(made)][1:] == ["x"]
    assert [one.name for one in found_in([*reversed(made)])][1:] == ["x"]


@pytest.mark.parametrize(("service", "name", "asked", "answered", "who"), NOT_BORN)
def test_whoever_only_stands_beside_it_is_not(service, name, asked, answered, who):
    made = [
        event(0, ALICE, name, service=service, asked=asked, answered=answered),
        event(1, who, "CreateUser", asked={"userName": "x"}),
    ]
    assert len(found_in(made)) == 1


def test_a_name_that_is_the_same_elsewhere_is_somebody_else():
    """A user of another account, and a session that calls itself so."""
    other = ALICE | {"accountId": "999988887777", "accessKeyId": "AK-x"}
    made = [
        event(0, other, "CreateUser", asked={"userName": "x"}),
        event(1, session("app", "alice", "ASIA-a"), "CreateUser", asked={"userName": "y"}),
    ]
    assert found_in(made) == ()


def test_federation_tokens_are_their_users():
    who = session("app", "f", "ASIA-f", "FederatedUser")
    who["sessionContext"]["sessionIssuer"] = {"type": "IAMUser", "userName": "alice"}
    assert len(found_in([event(0, who, "PutRule", service="events", asked={"name": "r"})])) == 1
