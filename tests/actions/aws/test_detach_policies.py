"""Policies are taken off whoever holds them and come back; one made again is left alone."""

import json

import pytest

from actions import engine
from actions.aws.detach_policies import DetachPolicies
from actions.aws.policy_holder import PolicyHolder, attached_to
from actions.errors import NothingToDoError, TargetGoneError, UnfitError
from tests.actions.aws.people import ALL, key_of, made_again, role, user, works


def managed(iam, name="wide") -> str:
    made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(ALL))
    return str(made["Policy"]["Arn"])


def holder(world, kind) -> PolicyHolder:
    if kind == "group":
        iam = world.client("iam", world.admin)
        iam.create_group(GroupName="ops")
        iam.put_group_policy(GroupName="ops", PolicyName="all", PolicyDocument=json.dumps(ALL))
        return PolicyHolder(world.account, "group", "ops")
    who = (user if kind == "user" else role)(world)
    return PolicyHolder(world.account, kind, who.name)


def arrange(world, estate):
    iam = world.client("iam", world.admin)
    who, arn = holder(world, "user"), managed(iam)
    iam.attach_user_policy(UserName=who.name, PolicyArn=arn)
    return DetachPolicies(who, (arn,), ("all",))


@pytest.mark.parametrize("kind", ["user", "role", "group"])
def test_it_goes_and_comes_back(world, op, iam, kind):
    who, arn = holder(world, kind), managed(iam)
    getattr(iam, f"attach_{kind}_policy")(**who.named, PolicyArn=arn)
    action = DetachPolicies(who, (arn,), ("all",))
    before = world.digest()
    op.apply(action)
    assert attached_to(op.p, who) == []
    assert getattr(iam, f"list_{kind}_policies")(**who.named)["PolicyNames"] == []
    op.undo(action)
    assert world.digest() == before


def test_what_only_these_policies_allowed_is_denied(world, op):
    who = user(world)
    keys = key_of(world, who)
    action = DetachPolicies(PolicyHolder(world.account, "user", who.name), (), ("all",))
    assert works(world, keys)
    op.apply(action)
    assert not works(world, keys)
    op.undo(action)
    assert works(world, keys)


def test_others_keep_the_managed_policy(world, op, iam):
    action = arrange(world, None)
    other = user(world, "carol")
    (arn,) = action.attached
    iam.attach_user_policy(UserName="carol", PolicyArn=arn)
    op.apply(action)
    assert attached_to(op.p, PolicyHolder(world.account, "user", other.name)) == [arn]


def test_where_none_is_left_there_is_nothing_to_do(world, op):
    action = DetachPolicies(holder(world, "user"), (), ("other",))
    with pytest.raises(NothingToDoError, match="none of these"):
        op.apply(action)


def test_one_made_again_under_the_name_is_left_alone(world, op):
    action = arrange(world, None)
    op.intend(action)
    who = user(world, "bob")
    assert made_again(world, type(who)(world.account, "user", "alice"))
    start = len(world.calls)
    with pytest.raises(TargetGoneError, match="made again"):
        op.apply(action)
    assert op.written(start) == []


def test_one_who_is_gone_is_named(world, op):
    with pytest.raises(TargetGoneError, match="group none does not exist"):
        op.apply(DetachPolicies(PolicyHolder(world.account, "group", "none"), (), ("x",)))


def test_aws_own_roles_are_refused_with_what_to_change(world, op):
    role(world, "AWSServiceRoleForX", Path="/aws-service-role/x.amazonaws.com/")
    who = PolicyHolder(world.account, "role", "AWSServiceRoleForX")
    with pytest.raises(UnfitError, match="its permission set"):
        op.apply(DetachPolicies(who, (), ("all",)))


def test_what_a_group_loses_all_its_users_lose(world, op):
    action = DetachPolicies(holder(world, "group"), (), ("all",))
    assert engine.plan(action, op.p).blast == ("every user in group ops loses what all allow",)
