"""The profile that was meant is deleted, and one that was made since is not."""

import pytest

from actions import one_way
from actions.aws.delete_login_profile import DeleteLoginProfile
from actions.aws.login_profile import made_at, profile_of
from actions.errors import ApprovalMissingError, NothingToDoError
from tests.actions.aws.operating import provider
from tests.actions.aws.people import user

PASSWORD = "An-attackers-Passw0rd!"


def arrange(world, estate):
    who = user(world)
    world.client("iam", world.admin).create_login_profile(UserName=who.name, Password=PASSWORD)
    return DeleteLoginProfile(who, made_at(profile_of(provider(world), who)))


def test_it_goes_once_somebody_said_yes(world, op):
    action = arrange(world, None)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    assert profile_of(op.p, action.principal)
    applied = op.apply(action, approval="yes")
    assert applied.after == {"deleted": action.created}
    assert profile_of(op.p, action.principal) is None
    [lost] = one_way.Plan({}, {}, {}, (), action.foresee(op.p, {"there": True}).lost).lost
    assert action.created in lost


def test_one_made_since_is_anothers(world, op, iam):
    action = arrange(world, None)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    iam.delete_login_profile(UserName="alice")
    world.tick(60)
    iam.create_login_profile(UserName="alice", Password=PASSWORD)
    start = len(world.calls)
    op.apply(action, approval="yes")
    action.do(op.p, "mark", "yes")
    assert op.written(start) == []
    assert profile_of(op.p, action.principal)


def test_one_that_is_not_there_is_not_deleted(world, op):
    action = DeleteLoginProfile(user(world), "2026-03-01T00:00:00Z")
    with pytest.raises(NothingToDoError, match="no login profile of 2026-03-01"):
        op.apply(action, approval="yes")
