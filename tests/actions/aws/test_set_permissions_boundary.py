"""The principal is held within the boundary, and has its own, or none, again afterwards."""

import pytest

from actions.aws.clients import Aws
from actions.aws.set_permissions_boundary import DENY_ALL, SetPermissionsBoundary
from actions.errors import DriftError, TargetGoneError, UnfitError
from tests.actions.aws.people import key_of, made_again, role, session_of, user, works

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def arrange(world, estate):
    return SetPermissionsBoundary(user(world))


def boundary(op, who) -> str | None:
    [found] = SetPermissionsBoundary(who).read(op.p).values()
    return found


@pytest.mark.parametrize("had", [None, READ_ONLY])
@pytest.mark.parametrize("kind", ["user", "role"])
def test_what_was_there_comes_back(world, op, iam, kind, had):
    who = user(world) if kind == "user" else role(world)
    keys = key_of(world, who) if kind == "user" else session_of(world, who)
    if had and kind == "user":
        iam.put_user_permissions_boundary(UserName=who.name, PermissionsBoundary=had)
    elif had:
        iam.put_role_permissions_boundary(RoleName=who.name, PermissionsBoundary=had)
    assert works(world, keys)
    action = SetPermissionsBoundary(who)
    op.apply(action)
    assert boundary(op, who) == DENY_ALL
    assert not works(world, keys)
    op.undo(action)
    assert boundary(op, who) == had
    assert works(world, keys)


def test_another_policy_can_be_given(world, op):
    who = user(world)
    keys = key_of(world, who)
    op.apply(SetPermissionsBoundary(who, READ_ONLY))
    assert boundary(op, who) == READ_ONLY
    assert works(world, keys)


def test_writing_none_twice_is_once(world, op):
    who = user(world)
    action = SetPermissionsBoundary(who)
    [key] = action.read(op.p)
    action.write(op.p, key, DENY_ALL)
    action.write(op.p, key, None)
    action.write(op.p, key, None)
    assert boundary(op, who) is None


def test_one_made_again_gets_no_other_ones_boundary(world, op, iam):
    who = user(world)
    iam.put_user_permissions_boundary(UserName=who.name, PermissionsBoundary=READ_ONLY)
    action = SetPermissionsBoundary(who)
    [old] = op.apply(action).before
    made_again(world, who)
    with pytest.raises(DriftError, match=old):
        op.undo(action)
    with pytest.raises(TargetGoneError, match="deleted and made again"):
        action.write(op.p, old, READ_ONLY)
    assert boundary(op, who) is None


def test_nothing_is_taken_from_one_made_again_either(world, op, iam):
    who = user(world)
    action = SetPermissionsBoundary(who)
    [old] = action.read(op.p)
    made_again(world, who)
    iam.put_user_permissions_boundary(UserName=who.name, PermissionsBoundary=READ_ONLY)
    action.write(op.p, old, None)
    assert boundary(op, who) == READ_ONLY


def test_the_arn_is_of_the_providers_partition(world, op):
    action = SetPermissionsBoundary(user(world))
    [key] = action.read(op.p)
    china = Aws(world.account, "cn-north-1", lambda service: op.p.iam, "aws-cn")
    start = len(world.calls)
    with pytest.raises(china.iam.exceptions.NoSuchEntityException):
        action.write(china, key, DENY_ALL)
    [call] = op.written(start)
    assert call.params["PermissionsBoundary"] == "arn:aws-cn:iam::aws:policy/AWSDenyAll"
    assert action.same(key, DENY_ALL, call.params["PermissionsBoundary"])
    assert not action.same(key, DENY_ALL, None)


def test_a_service_linked_role_is_refused(world, op):
    linked = role(world, "AWSServiceRoleForX", Path="/aws-service-role/x.amazonaws.com/")
    with pytest.raises(UnfitError, match="service-linked"):
        op.apply(SetPermissionsBoundary(linked))
