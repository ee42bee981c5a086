"""Every clause of the denial that we put on a role matters: with any one changed, it stops nobody.

The document under test is the action's own, in both forms; the range evaluates it, and knows
nothing of it.
"""

import copy
import json

import botocore.session
import pytest

from actions.aws.deny_instance_sessions import AGENT, DenyInstanceSessions
from actions.aws.instance import Instance
from playbooks.drills.range.policy import Policies, Request, Verdict, decide
from tests.actions.aws.test_deny_instance_sessions import may_describe

FORMS = pytest.mark.parametrize("keep_ssm", [False, True], ids=["whole", "keep_ssm"])
KEY = "ec2:SourceInstanceARN"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def changed(statement, action, sibling):
    """Yield (clause, changed statement): each clause in each way that should make it miss."""

    def other(clause, value):
        return clause, {**copy.deepcopy(statement), clause: value}

    arn = action.host.arn
    yield other("Effect", "Allow")
    yield other("Resource", "arn:aws:s3:::elsewhere")
    if "Action" in statement:
        yield other("Action", "s3:*")
    else:
        yield other("NotAction", [*AGENT, "ec2:Describe*"])
        yield other("NotAction", "*")
    conditions = [
        {"ArnEquals": {KEY: sibling}},
        {"ArnEquals": {KEY: arn[:-1]}},
        {"ArnEquals": {KEY: arn.replace(action.host.account, "999988887777")}},
        {"ArnEquals": {KEY: arn.replace(action.host.region, "eu-west-2")}},
        {"ArnEquals": {"aws:SourceArn": arn}},
        {"ArnNotEquals": {KEY: arn}},
        {"ArnEquals": {KEY: arn}, "Null": {KEY: "true"}},
    ]
    for condition in conditions:
        yield other("Condition", condition)


@FORMS
def test_with_any_clause_changed_the_attacker_gets_through(world, estate, host, op, iam, keep_ssm):
    action = DenyInstanceSessions(host, keep_ssm=keep_ssm)
    op.apply(action)
    assert not may_describe(world, host.instance_id)
    [statement] = action.document["Statement"]
    sibling = Instance(host.account, host.region, estate.sibling).arn
    stopped, clauses = [], {"Sid"}  # a Sid is a label and decides nothing
    for clause, changes in changed(statement, action, sibling):
        clauses.add(clause)
        text = json.dumps({**action.document, "Statement": [changes]})
        iam.put_role_policy(
            RoleName=estate.role, PolicyName=action.policy_name, PolicyDocument=text
        )
        if not may_describe(world, host.instance_id):
            stopped.append(changes)
    assert stopped == []
    assert clauses == set(statement)


@FORMS
def test_without_its_condition_it_would_take_the_sibling_too(
    world, estate, host, op, iam, keep_ssm
):
    action = DenyInstanceSessions(host, keep_ssm=keep_ssm)
    op.apply(action)
    assert may_describe(world, estate.sibling)
    bare = copy.deepcopy(action.document)
    del bare["Statement"][0]["Condition"]
    iam.put_role_policy(
        RoleName=estate.role, PolicyName=action.policy_name, PolicyDocument=json.dumps(bare)
    )
    assert not may_describe(world, estate.sibling)


def operations() -> list[str]:
    """Return every operation of every service that botocore knows, named as IAM would."""
    session = botocore.session.get_session()
    found = []
    for service in (
        "ssm",
        "ec2",
        "s3",
        "iam",
        "sts",
        "kms",
        "secretsmanager",
        "lambda",
        "dynamodb",
    ):
        model = session.get_service_model(service)
        found += [f"{service}:{name}" for name in model.operation_names]
    return found


def test_keep_ssm_leaves_the_agents_calls_and_stops_every_other(host):
    document = DenyInstanceSessions(host, keep_ssm=True).document
    held = Policies(identity=(ALL, document))
    theirs = {KEY.lower(): (host.arn,)}
    asked = {*operations(), *AGENT, "ssmmessages:Anything", "ec2messages:Anything"}
    left = {
        name
        for name in asked
        if decide(Request(name, "*", theirs), held) is not Verdict.EXPLICIT_DENY
    }
    assert left == set(AGENT)
    # With these somebody on the host would act on other hosts, or read what it is not to read.
    assert left.isdisjoint(
        f"ssm:{n}"
        for n in (
            "SendCommand",
            "StartSession",
            "ResumeSession",
            "StartAutomationExecution",
            "CreateAssociation",
            "GetParameter",
            "GetParameters",
            "GetParametersByPath",
            "PutParameter",
        )
    )
    others = {KEY.lower(): (host.arn + "0",)}
    assert {decide(Request(n, "*", others), held) for n in asked} == {Verdict.ALLOW}
