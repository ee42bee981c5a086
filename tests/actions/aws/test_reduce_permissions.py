"""A narrower policy stands in for wide ones, without a moment in which neither is there."""

import json

import pytest

from actions import engine
from actions.aws.policy_holder import PolicyHolder, attached_to
from actions.aws.reduce_permissions import ReducePermissions
from actions.errors import NothingToDoError, UnfitError
from playbooks.drills.range.injectors import CallBack
from tests.actions.aws.people import key_of, user, works
from tests.actions.aws.test_detach_policies import managed

NARROW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["ec2:DescribeVpcs"], "Resource": "*"}],
}


def arrange(world, estate):
    iam = world.client("iam", world.admin)
    who, arn = user(world), managed(iam)
    iam.attach_user_policy(UserName=who.name, PolicyArn=arn)
    holder = PolicyHolder(world.account, "user", who.name)
    return ReducePermissions(holder, json.dumps(NARROW), (arn,), ("all",))


def test_what_is_needed_goes_on_at_every_moment_and_the_rest_is_denied(world, op, iam):
    action = arrange(world, None)
    keys = key_of(world, user(world, "carol").__class__(world.account, "user", "alice"))
    seen = []
    for operation in ("PutUserPolicy", "DeleteUserPolicy", "DetachUserPolicy", "AttachUserPolicy"):
        look = CallBack(lambda: seen.append(works(world, keys)), after=True)
        world.inject(look, operation, times=9)
    op.apply(action)
    assert len(seen) == 3
    assert works(world, keys)
    with pytest.raises(Exception, match="not authorized"):
        world.client("iam", keys).list_users()
    op.undo(action)
    assert len(seen) == 6
    assert all(seen)
    assert world.client("iam", keys).list_users()["Users"]


def test_the_world_is_as_it_was(world, op):
    action = arrange(world, None)
    before = world.digest()
    op.apply(action)
    assert attached_to(op.p, action.holder) == []
    op.undo(action)
    assert world.digest() == before


def test_one_that_does_not_fit_changes_nothing(world, op):
    action = arrange(world, None)
    long = json.dumps(NARROW | {"Id": "x" * 2048})
    start = len(world.calls)
    with pytest.raises(UnfitError, match="of 2048 characters left"):
        op.apply(ReducePermissions(action.holder, long, action.attached, action.inline))
    assert op.written(start) == []


def test_nothing_is_given_to_one_who_has_none_of_them(world, op):
    who = PolicyHolder(world.account, "user", user(world).name)
    with pytest.raises(NothingToDoError):
        op.apply(ReducePermissions(who, json.dumps(NARROW), (), ("other",)))


def test_two_replacements_have_two_names_and_one_has_one(world, op):
    action = arrange(world, None)
    other = ReducePermissions(action.holder, "{}", action.attached)
    assert other.policy_name != action.policy_name
    assert "keeps of all, " in engine.plan(action, op.p).blast[0]
