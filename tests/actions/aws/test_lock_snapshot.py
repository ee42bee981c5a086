"""A lock in governance mode keeps the snapshot, and comes off; a stronger one is left alone."""

import pytest
from botocore.exceptions import ClientError

from actions.aws.lock_snapshot import LockSnapshot
from tests.actions.aws.disk_copies import KEY, completed


def arrange(world, estate):
    return LockSnapshot(completed(world, estate, KEY), 365)


def states(ec2, action) -> list[tuple[str, int]]:
    found = ec2.describe_locked_snapshots(SnapshotIds=[action.snapshot.snapshot_id])
    return [(one["LockState"], one["LockDuration"]) for one in found["Snapshots"]]


def test_a_locked_snapshot_is_not_deleted_until_it_is_unlocked(world, estate, op, ec2):
    action = arrange(world, estate)
    op.apply(action)
    assert states(ec2, action) == [("governance", 365)]
    with pytest.raises(ClientError, match="locked"):
        ec2.delete_snapshot(SnapshotId=action.snapshot.snapshot_id)
    op.undo(action)
    assert states(ec2, action) == []
    ec2.delete_snapshot(SnapshotId=action.snapshot.snapshot_id)


@pytest.mark.parametrize(
    "lock",
    [
        {"LockMode": "governance", "LockDuration": 400},
        {"LockMode": "compliance", "LockDuration": 1},
        {"LockMode": "compliance", "LockDuration": 1, "CoolOffPeriod": 1},
    ],
    ids=["longer", "compliance", "cooling off"],
)
def test_a_lock_that_is_stronger_is_left_as_it_is(world, estate, op, ec2, lock):
    action = arrange(world, estate)
    ec2.lock_snapshot(SnapshotId=action.snapshot.snapshot_id, **lock)
    before, start = states(ec2, action), len(world.calls)
    op.apply(action)
    assert (states(ec2, action), op.written(start)) == (before, [])


def test_a_shorter_lock_is_made_longer_and_comes_back(world, estate, op, ec2):
    action = arrange(world, estate)
    ec2.lock_snapshot(SnapshotId=action.snapshot.snapshot_id, LockMode="governance", LockDuration=3)
    op.apply(action)
    assert states(ec2, action) == [("governance", 365)]
    op.undo(action)
    assert states(ec2, action) == [("governance", 3)]
