"""Blocks of EC2's snapshots are listed and read, by whoever may, once they are complete."""

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from evidence.sources.snapshot_blocks import SnapshotBlocks
from playbooks.desk.cli.examining import examining
from playbooks.drills.range.corrections.snapshot_blocks import WRITTEN
from playbooks.drills.range.keys import Credentials
from playbooks.wiring.forensics_terms import Forensics


@pytest.fixture
def snapshot(world, ec2, estate):
    tags = [{"Key": "stanch:mark", "Value": "m"}]
    made = ec2.create_snapshot(
        VolumeId=estate.volumes[0],
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}],
    )["SnapshotId"]
    world.tick(world.ground.snapshot_seconds)
    return made


def outcome(ebs, snapshot_id):
    source = SnapshotBlocks(snapshot_id, "111122223333", "eu-west-1")
    items = list(source.collect(SimpleNamespace(ebs=ebs)))
    return json.loads(items[-1].data)


def test_every_block_is_read_and_is_what_its_checksum_says(world, snapshot):
    found = outcome(world.client("ebs", world.admin), snapshot)
    assert found["state"] == "acquired"
    assert (found["counts"]["blocks"], found["counts"]["verified"]) == (len(WRITTEN),) * 2
    assert found["counts"]["differing"] == 0


def test_a_snapshot_that_is_pending_or_unknown_is_not_read(world, ec2, estate):
    ebs = world.client("ebs", world.admin)
    pending = ec2.create_snapshot(VolumeId=estate.volumes[0])["SnapshotId"]
    assert outcome(ebs, pending)["state"] == "unsupported"
    assert outcome(ebs, "snap-0123456789abcdef0")["state"] == "unsupported"


def test_the_printed_policy_opens_what_stanch_made_and_nothing_else(world, ec2, estate, snapshot):
    iam = world.client("iam", world.admin)
    iam.create_user(UserName="stanch")
    terms = SimpleNamespace(forensics=Forensics(blocks=True), vaults={})
    document = {
        "Version": "2012-10-17",
        "Statement": examining(terms, world.account, world.region, "aws"),
    }
    iam.put_user_policy(UserName="stanch", PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="stanch")["AccessKey"]
    ebs = world.client("ebs", Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
    assert outcome(ebs, snapshot)["state"] == "acquired"
    other = ec2.create_snapshot(VolumeId=estate.volumes[0])["SnapshotId"]
    world.tick(world.ground.snapshot_seconds)
    with pytest.raises(ClientError, match="not authorized"):
        ebs.list_snapshot_blocks(SnapshotId=other)
