"""Snapshots of the site's host, made as Stanch makes them, for what is tried on them."""

from typing import Any

from actions.aws.snapshot import Snapshot
from actions.aws.snapshot_volumes import SnapshotVolumes
from tests.actions.aws.operating import host_of

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
FORENSIC = "999988887777"


def completed(world: Any, estate: Any, key: str = "") -> Snapshot:
    """Return a complete snapshot of one of the host's volumes, under a key if one is given."""
    ec2 = world.client("ec2", world.admin)
    host = host_of(world, estate)
    action = SnapshotVolumes(host)
    provider = type("P", (), {"ec2": ec2, "account": world.account, "region": world.region})()
    action.do(provider, "mark-of-the-first", None)
    world.tick(world.ground.snapshot_seconds + 1)
    made = action.find(provider, "mark-of-the-first")
    assert made is not None
    found = made["snapshots"][0]["id"]
    if key:
        tags = [{"Key": "stanch:mark", "Value": "mark-of-the-second"}]
        found = ec2.copy_snapshot(
            SourceRegion=world.region,
            SourceSnapshotId=found,
            Encrypted=True,
            KmsKeyId=key,
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}],
        )["SnapshotId"]
        world.tick(world.ground.snapshot_seconds + 1)
    return Snapshot(world.account, world.region, host.instance_id, found)
