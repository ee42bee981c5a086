"""How a snapshot is locked: asked of AWS once, in one way (EC2 API, "DescribeLockedSnapshots")."""

from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.aws.snapshot import Snapshot, gone, refuse_elsewhere

# In compliance nobody takes the lock off any more, but within its cooling-off period.
COMPLIANCE = ("compliance", "compliance-cooloff")


def lock_of(p: Aws, snapshot: Snapshot) -> dict[str, Any] | None:
    """Return the lock's description, None where there is none or it has expired."""
    refuse_elsewhere(p, snapshot.account, snapshot.region)
    try:
        found = p.ec2.describe_locked_snapshots(SnapshotIds=[snapshot.snapshot_id])["Snapshots"]
    except ClientError as error:
        raise gone(snapshot, error) from error
    locks = [dict(one) for one in found if one["LockState"] != "expired"]
    return locks[0] if locks else None
