"""What deserves a second look: rights that are more than they seem, or that nobody uses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from playbooks.drills.range.policy import Policies, Request, Verdict, decide
from playbooks.review import flags
from playbooks.review.credential_report import ReportedKey
from playbooks.review.escalation import ON_OTHERS, RULES, held, opened_by, ways
from playbooks.review.flags import Ages, of_grant, of_key, of_use
from playbooks.review.holding import Right
from playbooks.review.statements import Granted, statements
from playbooks.review.trust import outside, trusted
from tests.playbooks.review.staff import allow

NOW = datetime(2026, 6, 1, tzinfo=UTC)
AGES = Ages(NOW)
DAY = timedelta(days=1)
HOME = "111122223333"


def granted(*documents: dict[str, Any], boundary: dict[str, Any] | None = None) -> Granted:
    read = tuple(s for d in documents for s in statements(d))
    return Granted(read, statements(boundary) if boundary else None)


def flagged(document: dict[str, Any], *others: dict[str, Any]) -> tuple[str, ...]:
    return of_grant(Right("inline/x", statements(document)), granted(document, *others))


def deny(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    document = allow(*actions, resource=resource)
    document["Statement"][0] |= {"Effect": "Deny", **more}
    return document


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_each_way_is_open_with_its_actions_and_without_any_one_is_not(rule: Any) -> None:
    assert rule.name in ways(held(granted(allow(*rule.actions))))
    for action in rule.actions:
        rest = [a for a in rule.actions if a != action]
        assert rule.name not in ways(held(granted(allow(*rest, "x:y"))))
        denied = granted(allow(*rule.actions), deny(action))
        assert rule.name not in ways(held(denied))
        bounded = granted(allow(*rule.actions), boundary=allow(*rest, "x:y"))
        assert rule.name not in ways(held(bounded))


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_a_way_is_open_only_where_the_range_would_let_each_call_through(rule: Any) -> None:
    """By a judge who knows nothing of ways: the range's evaluation of policies."""
    document = allow(*(a.upper() for a in rule.actions))
    assert rule.name in ways(held(granted(document)))
    policies = Policies(identity=(document,))
    assert all(decide(Request(a), policies) == Verdict.ALLOW for a in rule.actions)


def test_a_conditional_or_partial_denial_closes_no_way() -> None:
    """A review asks what could be, so it may say too much, and never too little."""
    wide = allow("iam:PutUserPolicy")
    for narrow in (
        deny("iam:PutUserPolicy", resource="arn:aws:iam::111122223333:user/bob"),
        deny("iam:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
    ):
        assert ways(held(granted(wide, narrow))) == ("writes a policy of a user",)


@pytest.mark.parametrize("action", sorted(ON_OTHERS))
def test_what_one_may_do_to_oneself_is_no_way(action: str) -> None:
    mine = "arn:aws:iam::*:user/${aws:username}"
    assert ways(held(granted(allow(action, resource=mine)))) == ()
    assert ways(held(granted(allow(action, resource=[mine, "arn:aws:iam::*:user/x"])))) != ()


def test_a_way_that_two_rights_open_together_is_named_on_both() -> None:
    one, two = allow("iam:PassRole"), allow("ec2:RunInstances")
    way = ("escalates: passes a role to ec2",)
    assert flagged(one) == flagged(two) == ()
    assert flagged(one, two) == flagged(two, one) == way
    assert flagged(allow("s3:GetObject"), one, two) == ()
    assert opened_by(held(granted(one, two)), frozenset()) == ()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (allow("*"), ("admin",)),
        (allow("iam:*"), ("admin",)),
        (allow("*", resource="arn:aws:s3:::x"), ()),
        (allow("s3:*"), ("wildcard",)),
        (allow("s3:*", resource="arn:aws:s3:::x/*"), ()),
        (allow("s3:Get*"), ()),
        (deny("*"), ()),
        (allow("s3:GetObject"), ()),
    ],
)
def test_admins_and_wildcards_are_named(document: Any, expected: tuple[str, ...]) -> None:
    assert flagged(document) == expected


def test_all_but_something_is_a_wildcard() -> None:
    rest = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert flags.WILDCARD in flagged({"Statement": rest})
    but = {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::x/*"}
    assert flagged({"Statement": [but]}) == (flags.WILDCARD,)


@pytest.mark.parametrize("days", [0, 89, 90, 91, 400])
def test_unused_is_older_than_90_days_by_use_or_by_birth(days: int) -> None:
    expected = (flags.UNUSED,) if days > 90 else ()
    assert of_use(NOW - days * DAY, NOW - 500 * DAY, AGES) == expected
    assert of_use(None, NOW - days * DAY, AGES) == expected


def test_a_key_is_old_by_its_making_and_unused_by_its_use() -> None:
    def key(made: int, used: int | None) -> tuple[str, ...]:
        at = NOW - used * DAY if used is not None else None
        return of_key(ReportedKey("1", True, NOW - made * DAY, at), AGES)

    assert key(91, 1) == (flags.OLD_KEY,)
    assert key(91, None) == (flags.OLD_KEY, flags.UNUSED)
    assert key(10, None) == ()
    assert of_key(ReportedKey("1", True, None, None), AGES) == ()


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", ["*"]),
        ({"AWS": "*"}, ["*"]),
        ({"AWS": "999988887777"}, ["999988887777"]),
        ({"AWS": ["arn:aws:iam::999988887777:role/x"]}, ["arn:aws:iam::999988887777:role/x"]),
        ({"AWS": [HOME, f"arn:aws:iam::{HOME}:root"]}, []),
        ({"Service": "ec2.amazonaws.com"}, []),
        ({"Federated": f"arn:aws:iam::{HOME}:saml-provider/x"}, []),
        ({"AWS": "AROAEXAMPLEEXAMPLE"}, []),
    ],
)
def test_who_comes_from_outside_is_named(principal: Any, expected: list[str]) -> None:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    found = outside({"Statement": [statement]}, HOME)
    assert [one.name for one in found] == expected
    assert outside({"Statement": [{**statement, "Effect": "Deny"}]}, HOME) == ()
    assert trusted({"Statement": [{**statement, "Action": "sts:TagSession"}]}) == ()
