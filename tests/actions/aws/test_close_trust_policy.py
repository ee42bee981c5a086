"""Nobody can assume the role, or only who is named; and then exactly who could before."""

import json

import pytest
from botocore.exceptions import ClientError

from actions import engine
from actions.aws.close_trust_policy import CloseTrustPolicy
from actions.errors import DriftError, TargetGoneError, UnfitError
from tests.actions.aws.people import key_of, made_again, role, session_of, user, works


def arrange(world, estate):
    return CloseTrustPolicy(role(world))


def trust(iam, who) -> str:
    return json.dumps(iam.get_role(RoleName=who.name)["Role"]["AssumeRolePolicyDocument"])


def test_nobody_gets_a_session_and_those_out_there_go_on(world, op, iam):
    who = role(world)
    before, keys = trust(iam, who), key_of(world, user(world))
    early = session_of(world, who, keys)
    action = CloseTrustPolicy(who)
    op.apply(action)
    with pytest.raises(ClientError, match="AccessDenied"):
        session_of(world, who, keys)
    assert works(world, early)
    op.undo(action)
    assert trust(iam, who) == before
    assert works(world, session_of(world, who, keys))


def test_only_who_is_named(world, op, iam):
    who = role(world)
    alice, bob = (key_of(world, user(world, name)) for name in ("alice", "bob"))
    arn = iam.get_user(UserName="alice")["User"]["Arn"]
    action = CloseTrustPolicy(who, (arn, "ec2.amazonaws.com"))
    op.apply(action)
    assert works(world, session_of(world, who, alice))
    with pytest.raises(ClientError, match="AccessDenied"):
        session_of(world, who, bob)
    [statement] = json.loads(trust(iam, who))["Statement"]
    assert statement["Principal"] == {"AWS": [arn], "Service": ["ec2.amazonaws.com"]}


def test_all_ways_in_are_denied(world):
    [statement] = CloseTrustPolicy(role(world)).document["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert {a.partition("With")[2] for a in statement["Action"]} == {"", "SAML", "WebIdentity"}


def test_a_principal_that_was_deleted_cannot_come_back_and_is_named(world, op, iam):
    who = role(world)
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {
                    "AWS": ["AIDAEXAMPLE1234567890", f"arn:aws:iam::{world.account}:root"]
                },
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.update_assume_role_policy(RoleName=who.name, PolicyDocument=json.dumps(document))
    [lost] = engine.plan(CloseTrustPolicy(who), op.p).lost
    assert lost.startswith("AIDAEXAMPLE1234567890 was deleted")


def test_one_made_again_keeps_its_own_trust(world, op, iam):
    action = arrange(world, None)
    [(old, before)] = op.apply(action).before.items()
    made_again(world, action.principal)
    own = trust(iam, action.principal)
    with pytest.raises(DriftError, match=old):
        op.undo(action)
    with pytest.raises(TargetGoneError, match="deleted and made again"):
        action.write(op.p, old, before)
    assert trust(iam, action.principal) == own


def test_a_role_of_identity_center_is_refused(world, op):
    reserved = role(world, "AWSReservedSSO_A_1", Path="/aws-reserved/sso.amazonaws.com/")
    with pytest.raises(UnfitError, match="remove_account_assignments"):
        op.apply(CloseTrustPolicy(reserved))
