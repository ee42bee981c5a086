"""Those named can no longer assume the role, all others can, and it comes back."""

import json

import pytest
from botocore.exceptions import ClientError

from actions.aws.principal import Principal
from actions.aws.revoke_trust import RevokeTrust
from actions.errors import DriftError, NothingToDoError, UnfitError
from playbooks.drills.range.keys import Credentials
from tests.actions.aws.people import ALL, key_of, made_again, role, user

OTHER = "arn:aws:iam::999988887777:root"


def trusting(world, *statements) -> Principal:
    who = role(world)
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    world.client("iam", world.admin).update_assume_role_policy(
        RoleName=who.name, PolicyDocument=json.dumps(document)
    )
    return who


def lets(principal, **more):
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}


def arrange(world, estate):
    who = trusting(world, lets({"AWS": [OTHER, f"arn:aws:iam::{world.account}:root"]}))
    return RevokeTrust(who, (OTHER,))


def can(world, keys, who) -> bool:
    arn = world.client("iam", world.admin).get_role(RoleName=who.name)["Role"]["Arn"]
    try:
        world.client("sts", keys).assume_role(RoleArn=arn, RoleSessionName="work")
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def stranger(world) -> Credentials:
    """A user of another account who may assume any role that trusts it."""
    iam = world.client("iam", world.root_of("999988887777"))
    iam.create_user(UserName="mallory")
    iam.put_user_policy(UserName="mallory", PolicyName="all", PolicyDocument=json.dumps(ALL))
    made = iam.create_access_key(UserName="mallory")["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


def test_the_named_are_out_and_the_others_in(world, op):
    action = arrange(world, None)
    inside = key_of(world, user(world))
    outside = stranger(world)
    before = world.digest()
    assert can(world, inside, action.principal)
    assert can(world, outside, action.principal)
    op.apply(action)
    assert can(world, inside, action.principal)
    assert not can(world, outside, action.principal)
    op.undo(action)
    assert can(world, outside, action.principal)
    assert world.digest() == before


@pytest.mark.parametrize("principal", ["*", {"AWS": OTHER}, {"AWS": [OTHER]}])
def test_where_nobody_is_left_nobody_comes_in(world, op, iam, principal):
    who = trusting(world, lets(principal))
    op.apply(RevokeTrust(who, ("*", OTHER)))
    document = iam.get_role(RoleName=who.name)["Role"]["AssumeRolePolicyDocument"]
    assert [s["Effect"] for s in document["Statement"]] == ["Deny"]
    assert not can(world, stranger(world), who)


def test_conditions_services_and_denials_stay_as_they_are(world, op, iam):
    condition = {"StringEquals": {"sts:ExternalId": "x"}}
    denial = {"Effect": "Deny", "Principal": {"AWS": OTHER}, "Action": "sts:AssumeRole"}
    mixed = lets({"AWS": OTHER, "Service": "ec2.amazonaws.com"})
    inside = lets({"AWS": world.account}, Condition=condition)
    who = trusting(world, mixed, denial, inside)
    op.apply(RevokeTrust(who, (OTHER,)))
    document = iam.get_role(RoleName=who.name)["Role"]["AssumeRolePolicyDocument"]
    assert document["Statement"] == [
        lets({"Service": "ec2.amazonaws.com"}),
        denial,
        inside,
    ]


def test_who_trusts_none_of_them_is_left_alone(world, op):
    action = RevokeTrust(arrange(world, None).principal, ("arn:aws:iam::111111111111:root",))
    start = len(world.calls)
    with pytest.raises(NothingToDoError):
        op.apply(action)
    assert op.written(start) == []


def test_one_made_again_under_the_name_is_left_alone(world, op):
    action = arrange(world, None)
    op.intend(action)
    made_again(world, action.principal)
    start = len(world.calls)
    with pytest.raises(DriftError):
        op.apply(action)
    assert op.written(start) == []


def test_aws_own_roles_are_refused(world, op):
    role(world, "AWSServiceRoleForX", Path="/aws-service-role/x.amazonaws.com/")
    who = Principal(world.account, "role", "AWSServiceRoleForX")
    with pytest.raises(UnfitError, match="service-linked"):
        op.apply(RevokeTrust(who, (OTHER,)))
