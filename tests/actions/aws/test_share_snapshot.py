"""One account is let in and out again; who else was let in stays, and AWS's own key is refused."""

import pytest

from actions.aws.share_snapshot import ShareSnapshot
from actions.errors import ProviderError
from tests.actions.aws.disk_copies import FORENSIC, KEY, completed


def arrange(world, estate):
    return ShareSnapshot(completed(world, estate, KEY), FORENSIC)


def shared(ec2, action) -> set[str]:
    found = ec2.describe_snapshot_attribute(
        SnapshotId=action.snapshot.snapshot_id, Attribute="createVolumePermission"
    )
    return {one["UserId"] for one in found["CreateVolumePermissions"]}


@pytest.mark.parametrize("there", [[], ["444455556666"], [FORENSIC]])
def test_who_was_let_in_before_is_let_in_after_the_way_back(world, estate, op, ec2, there):
    action = arrange(world, estate)
    if there:
        ec2.modify_snapshot_attribute(
            SnapshotId=action.snapshot.snapshot_id,
            Attribute="createVolumePermission",
            OperationType="add",
            UserIds=there,
        )
    op.apply(action)
    assert shared(ec2, action) == {*there, FORENSIC}
    op.undo(action)
    assert shared(ec2, action) == set(there)


def test_a_snapshot_under_awss_own_key_is_not_shared(world, estate, op, ec2):
    action = arrange(world, estate)
    world.ground.ec2().snapshots[action.snapshot.snapshot_id].kms_key_id = None
    with pytest.raises(ProviderError, match="default key"):
        op.apply(action)
    assert shared(ec2, action) == set()
