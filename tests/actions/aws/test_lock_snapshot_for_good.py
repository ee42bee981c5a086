"""For good means for good: it asks, happens once, and cannot be taken off once it has cooled."""

import pytest
from botocore.exceptions import ClientError

from actions import one_way
from actions.aws.lock_snapshot_for_good import LockSnapshotForGood
from actions.errors import ApprovalMissingError
from tests.actions.aws.disk_copies import KEY, completed


def arrange(world, estate):
    return LockSnapshotForGood(completed(world, estate, KEY), 30, 2)


def test_without_an_approval_nothing_is_locked_and_what_is_lost_is_said(world, estate, op):
    action = arrange(world, estate)
    start = len(world.calls)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    assert op.written(start) == []
    [lost] = one_way.foresee(action, op.p).lost
    assert lost.startswith("after 2 hours nobody can unlock snap-")


def test_it_can_be_unlocked_while_it_cools_off_and_never_after(world, estate, op, ec2):
    action = arrange(world, estate)
    mine = {"SnapshotId": action.snapshot.snapshot_id}
    assert op.apply(action, approval="yes-1").after == {"state": "compliance-cooloff", "days": 30}
    ec2.unlock_snapshot(**mine)
    ec2.lock_snapshot(**mine, LockMode="compliance", LockDuration=30, CoolOffPeriod=2)
    world.tick(2 * 3600 + 1)
    for call in (
        lambda: ec2.unlock_snapshot(**mine),
        lambda: ec2.lock_snapshot(**mine, LockMode="governance", LockDuration=30),
        lambda: ec2.lock_snapshot(**mine, LockMode="compliance", LockDuration=29),
        lambda: ec2.delete_snapshot(**mine),
    ):
        with pytest.raises(ClientError):
            call()
    world.tick(30 * 86400)
    [lock] = ec2.describe_locked_snapshots(SnapshotIds=[mine["SnapshotId"]])["Snapshots"]
    assert lock["LockState"] == "expired"
    ec2.delete_snapshot(**mine)


def test_a_lock_that_is_there_and_as_long_is_adopted(world, estate, op, ec2):
    action = arrange(world, estate)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    ec2.lock_snapshot(
        SnapshotId=action.snapshot.snapshot_id, LockMode="compliance", LockDuration=60
    )
    start = len(world.calls)
    assert op.apply(action, approval="yes-1").after == {"state": "compliance", "days": 60}
    assert op.written(start) == []
