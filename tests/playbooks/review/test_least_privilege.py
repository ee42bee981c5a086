"""The narrower policy allows what was used, and never more than before, as the range judges."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from playbooks.drills.range.policy import Policies, Request, Verdict, decide
from playbooks.review.least_privilege import DATA, least
from playbooks.review.used import Used
from tests.playbooks.review.staff import allow

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
ACTIONS = (
    *("ec2:DescribeVpcs", "ec2:RunInstances", "ec2:TerminateInstances", "iam:PassRole"),
    *("iam:CreateUser", "iam:ListUsers", "s3:GetObject", "s3:PutObject", "s3:DeleteBucket"),
    *("sqs:SendMessage", "sqs:CreateQueue", "sts:AssumeRole", "logs:PutLogEvents"),
)
PATTERNS = (*ACTIONS, "*", "ec2:*", "ec2:Describe*", "s3:*", "s3:Get*", "iam:*", "sqs:*", "?3:*")
RESOURCES = ("*", "arn:aws:s3:::shop/*", "arn:aws:sqs:eu-west-1:111122223333:orders")
CONDITION = {"Bool": {"aws:SecureTransport": "true"}}


def used(*actions: str, services: tuple[str, ...] = ()) -> Used:
    named = {a.partition(":")[0] for a in actions}
    return Used(frozenset(named | set(services)), frozenset(actions), SINCE)


def may(document: dict[str, Any], action: str, resource: str = "*", **context: Any) -> bool:
    request = Request(action, resource, context.get("context", {}))
    return decide(request, Policies(identity=(document,))) == Verdict.ALLOW


def some_policy(rng: random.Random) -> dict[str, Any]:
    statements = []
    for _ in range(rng.randint(1, 4)):
        element = "NotAction" if rng.random() < 0.15 else "Action"
        named = rng.sample(PATTERNS, rng.randint(1, 3))
        one: dict[str, Any] = {"Effect": "Deny" if rng.random() < 0.2 else "Allow"}
        one |= {element: named if len(named) > 1 else named[0], "Resource": rng.choice(RESOURCES)}
        if rng.random() < 0.2:
            one["Condition"] = CONDITION
        statements.append(one)
    return {"Version": "2012-10-17", "Statement": statements}


@pytest.mark.parametrize("seed", range(60))
def test_what_was_used_stays_and_nothing_is_added(seed: int) -> None:
    rng = random.Random(seed)
    wide = [some_policy(rng) for _ in range(rng.randint(1, 3))]
    whole = {"Version": "2012-10-17", "Statement": [s for d in wide for s in d["Statement"]]}
    did = used(*rng.sample(ACTIONS, rng.randint(0, 4)), services=("sqs",) if seed % 3 else ())
    narrow = least(wide, did)
    for secure in ({}, {"aws:securetransport": ("true",)}):
        for action in ACTIONS:
            for resource in (*RESOURCES, "arn:aws:s3:::other/x"):
                before = may(whole, action, resource, context=secure)
                after = may(narrow, action, resource, context=secure)
                assert before or not after, f"{action} on {resource} was not allowed"
                if action in did.actions:
                    assert after == before, f"{action} on {resource} was used"


def test_what_was_not_used_goes() -> None:
    narrow = least([allow("*")], used("ec2:DescribeVpcs", "iam:ListUsers"))
    assert narrow == allow("ec2:DescribeVpcs", "iam:ListUsers") | narrow
    assert not may(narrow, "ec2:RunInstances")
    assert not may(narrow, "iam:CreateUser")


@pytest.mark.parametrize("service", DATA)
def test_data_of_a_used_service_goes_on(service: str) -> None:
    """IAM does not track it by action, so that it was not used cannot be known."""
    narrow = least([allow("*")], used(f"{service}:ListThings"))
    for name in DATA[service]:
        assert may(narrow, f"{service}:{name.replace('*', 'X')}")
    assert not may(narrow, f"{service}:CreateThing")


def test_a_service_without_tracked_actions_is_kept_whole_and_no_other() -> None:
    narrow = least([allow("*", "logs:Put*")], used(services=("logs",)))
    assert may(narrow, "logs:DeleteLogGroup")
    assert not may(narrow, "ec2:DescribeVpcs")
    narrow = least([allow("logs:Put*")], used(services=("logs",)))
    assert not may(narrow, "logs:DeleteLogGroup")


def test_a_role_can_be_passed_where_a_used_call_takes_one() -> None:
    assert may(least([allow("*")], used("ec2:RunInstances")), "iam:PassRole")
    assert not may(least([allow("*")], used("ec2:DescribeVpcs")), "iam:PassRole")


def test_nothing_used_leaves_nothing() -> None:
    assert least([allow("*")], used())["Statement"] == []
