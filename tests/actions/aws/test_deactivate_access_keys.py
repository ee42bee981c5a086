"""Every key stops, none is deleted, and only those that worked come back."""

import pytest

from actions import engine
from actions.aws.deactivate_access_keys import DeactivateAccessKeys
from actions.errors import DriftError, NothingToDoError, TargetGoneError
from tests.actions.aws.people import key_of, user, works


def arrange(world, estate):
    who = user(world)
    key_of(world, who)
    key_of(world, who)
    return DeactivateAccessKeys(who)


def status(iam, name) -> dict[str, str]:
    found = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in found}


def test_all_keys_stop_and_come_back(world, op, iam):
    who = user(world)
    keys = [key_of(world, who), key_of(world, who)]
    action = DeactivateAccessKeys(who)
    op.apply(action)
    assert [works(world, key) for key in keys] == [False, False]
    assert set(status(iam, who.name)) == {key.access_key for key in keys}, "none is deleted"
    op.undo(action)
    assert [works(world, key) for key in keys] == [True, True]


def test_a_key_that_was_off_stays_off(world, op, iam):
    who = user(world)
    off, on = key_of(world, who), key_of(world, who)
    iam.update_access_key(UserName=who.name, AccessKeyId=off.access_key, Status="Inactive")
    before = status(iam, who.name)
    action = DeactivateAccessKeys(who)
    op.apply(action)
    op.undo(action)
    assert status(iam, who.name) == before
    assert (works(world, on), works(world, off)) == (True, False)


def test_only_the_keys_that_are_named(world, op):
    who = user(world)
    leaked, other = key_of(world, who), key_of(world, who)
    action = DeactivateAccessKeys(who, (leaked.access_key,))
    op.apply(action)
    assert (works(world, leaked), works(world, other)) == (False, True)
    op.undo(action)
    assert works(world, leaked)


def test_a_key_that_is_minted_meanwhile_is_told_and_taken_by_acting_again(world, op):
    who = user(world)
    key_of(world, who)
    action = DeactivateAccessKeys(who)
    op.intend(action)
    late = key_of(world, who)
    with pytest.raises(DriftError) as caught:
        op.apply(action)
    assert set(caught.value.drifted) == {f"key/{late.access_key}"}
    op.journal = type(op.journal)()  # as `again=` does, under a step of its own
    op.apply(action)
    assert not works(world, late)


def test_a_key_that_was_deleted_meanwhile_is_not_guessed_at(world, op, iam):
    who = user(world)
    key = key_of(world, who)
    action = DeactivateAccessKeys(who)
    op.apply(action)
    iam.delete_access_key(UserName=who.name, AccessKeyId=key.access_key)
    with pytest.raises(DriftError, match="now None"):
        op.undo(action)
    assert status(iam, who.name) == {}


def test_what_a_key_was_last_used_for_is_said(world, op):
    who = user(world)
    used, never = key_of(world, who), key_of(world, who)
    assert works(world, used)
    blast = engine.plan(DeactivateAccessKeys(who), op.p).blast
    [told] = [line for line in blast if used.access_key in line]
    assert f"for ec2 in {world.region}" in told
    assert f"access key {never.access_key} stops working; it was never used" in blast


def test_without_an_active_key_there_is_nothing_to_do(world, op):
    who = user(world)
    with pytest.raises(NothingToDoError, match="no active access key, so"):
        op.apply(DeactivateAccessKeys(who))
    key_of(world, who)
    with pytest.raises(NothingToDoError, match="no active access key among AKIAGONE"):
        op.apply(DeactivateAccessKeys(who, ("AKIAGONE",)))


def test_a_user_who_is_gone_is_named(world, op):
    action = DeactivateAccessKeys(user(world))
    iam = world.client("iam", world.admin)
    iam.delete_user_policy(UserName="alice", PolicyName="all")
    iam.delete_user(UserName="alice")
    with pytest.raises(TargetGoneError, match="user alice does not exist"):
        op.apply(action)
