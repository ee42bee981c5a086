"""The user is out of its groups and their rights, and in the same ones again."""

import json

import pytest

from actions import engine
from actions.aws.leave_groups import LeaveGroups
from actions.aws.principal import Principal
from actions.errors import DriftError, NothingToDoError, TargetGoneError
from tests.actions.aws.people import ALL, key_of, made_again, user, works


def arrange(world, estate):
    who = user(world)
    join(world, who, "ops", "readers")
    return LeaveGroups(who)


def join(world, who, *names) -> None:
    iam = world.client("iam", world.admin)
    for name in names:
        iam.create_group(GroupName=name)
        iam.put_group_policy(GroupName=name, PolicyName="all", PolicyDocument=json.dumps(ALL))
        iam.add_user_to_group(GroupName=name, UserName=who.name)


def groups(iam, name) -> list[str]:
    return sorted(g["GroupName"] for g in iam.list_groups_for_user(UserName=name)["Groups"])


def test_what_the_groups_allowed_is_gone_and_comes_back(world, op, iam):
    iam.create_user(UserName="bob")
    who = Principal(world.account, "user", "bob")
    keys = key_of(world, who)
    join(world, who, "ops", "readers")
    assert works(world, keys)
    action = LeaveGroups(who)
    op.apply(action)
    assert groups(iam, "bob") == []
    assert not works(world, keys)
    op.undo(action)
    assert groups(iam, "bob") == ["ops", "readers"]
    assert works(world, keys)


def test_a_group_that_is_joined_meanwhile_is_told(world, op, iam):
    action = arrange(world, None)
    op.intend(action)
    join(world, action.principal, "late")
    with pytest.raises(DriftError, match=r"group/.*/late"):
        op.apply(action)
    assert groups(iam, "alice") == ["late"]


def test_one_made_again_is_not_put_into_the_groups(world, op, iam):
    action = arrange(world, None)
    op.apply(action)
    made_again(world, action.principal)
    with pytest.raises(TargetGoneError, match="deleted and made again"):
        op.undo(action)
    assert groups(iam, "alice") == []


def test_nor_taken_out_of_them(world, op, iam):
    action = arrange(world, None)
    op.intend(action)
    made_again(world, action.principal)
    iam.add_user_to_group(GroupName="ops", UserName="alice")
    with pytest.raises(DriftError):
        op.apply(action)
    assert groups(iam, "alice") == ["ops"]


def test_who_is_in_no_group_has_none_to_leave(world, op):
    with pytest.raises(NothingToDoError, match="alice is in no group"):
        op.apply(LeaveGroups(user(world)))


def test_where_some_are_named_the_others_stay(world, op, iam):
    who = arrange(world, None).principal
    names = sorted(g["GroupName"] for g in iam.list_groups_for_user(UserName=who.name)["Groups"])
    action = LeaveGroups(who, tuple(names[:1]))
    op.apply(action)
    left = iam.list_groups_for_user(UserName=who.name)["Groups"]
    assert sorted(g["GroupName"] for g in left) == names[1:]
    op.undo(action)
    again = iam.list_groups_for_user(UserName=who.name)["Groups"]
    assert sorted(g["GroupName"] for g in again) == names
    with pytest.raises(NothingToDoError, match="no group of none"):
        engine.plan(LeaveGroups(who, ("none",)), op.p)
