"""The old password is dead, nobody knows the new one, and it is reset once."""

import json

import pytest

from actions.aws.reset_console_password import MARK, ResetConsolePassword
from actions.errors import ApprovalMissingError, NothingToDoError, TargetGoneError
from tests.actions.aws.people import user

OLD = "Old-Passw0rd!-known-to-all"


def arrange(world, estate):
    who = user(world)
    world.client("iam", world.admin).create_login_profile(UserName=who.name, Password=OLD)
    return ResetConsolePassword(who)


def password(world) -> str:
    return world.ground.iam(world.account).users["alice"].password


def test_it_is_random_each_time_and_long_enough_for_any_password_policy(world, op):
    action = arrange(world, None)
    seen = set()
    for _ in range(3):
        op.journal = type(op.journal)()
        op.apply(action, approval="yes")
        seen.add(password(world))
    assert len(seen) == 3
    for one in seen:
        assert len(one) == 128
        assert {"a", "A", "1", "!"} <= set(one[-4:])


def test_it_is_in_nothing_that_is_kept(world, op):
    action = arrange(world, None)
    applied = op.apply(action, approval="yes")
    kept = json.dumps([op.journal.rows, applied.after, applied.before])
    assert password(world) not in kept
    assert OLD not in kept
    assert applied.after["reset_required"] is True


def test_without_approval_nothing_happens(world, op):
    action = arrange(world, None)
    start = len(world.calls)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    assert op.written(start) == []
    assert password(world) == OLD


def test_a_reset_that_was_pending_is_not_taken_for_ours(world, op, iam):
    action = arrange(world, None)
    iam.update_login_profile(UserName="alice", PasswordResetRequired=True)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)  # records the intent
    op.apply(action, approval="yes")
    assert password(world) != OLD


def test_a_mark_alone_is_not_taken_for_the_deed(world, op, iam):
    action = arrange(world, None)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    mark = op.journal[f"reset_console_password/{action.target}"].mark
    iam.tag_user(UserName="alice", Tags=[{"Key": MARK, "Value": mark}])
    assert action.find(op.p, mark) is None
    op.apply(action, approval="yes")
    assert password(world) != OLD
    assert action.find(op.p, "another step's mark") is None


def test_who_has_none_needs_none(world, op):
    with pytest.raises(NothingToDoError, match="no console password"):
        op.apply(ResetConsolePassword(user(world)), approval="yes")
    gone = ResetConsolePassword(type(user(world, "bob"))(world.account, "user", "gone"))
    with pytest.raises(TargetGoneError):
        op.apply(gone, approval="yes")
