"""A key is deleted with a yes, what depends on it being shown before."""

import pytest

from actions import one_way
from actions.aws.delete_access_key import DeleteAccessKey
from actions.errors import ApprovalMissingError, NothingToDoError
from tests.actions.aws.rotating import hold, keys, text_of, who


def arrange(world, estate):
    held = hold(world)
    return DeleteAccessKey(held.user, held.key)


def test_without_a_yes_it_stays(world, estate, op):
    action = arrange(world, estate)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    assert keys(world) == {action.key_id: "Active"}
    op.apply(action, approval="yes-1")
    assert keys(world) == {}


def test_who_still_uses_it_is_said_and_an_idle_one_breaks_nobody(world, estate, op):
    action = arrange(world, estate)
    who(world, text_of(world))
    plan = one_way.foresee(action, op.p)
    assert "last used 20" in plan.blast[0]
    assert "fails from then on" in plan.blast[0]
    assert action.key_id in plan.lost[0]
    world.client("iam", world.admin).update_access_key(
        UserName="ci", AccessKeyId=action.key_id, Status="Inactive"
    )
    assert one_way.foresee(action, op.p).blast == ()


def test_one_that_is_gone_is_nothing_to_do(world, estate, op):
    action = arrange(world, estate)
    world.client("iam", world.admin).delete_access_key(UserName="ci", AccessKeyId=action.key_id)
    with pytest.raises(NothingToDoError):
        op.apply(action, approval="yes-1")
