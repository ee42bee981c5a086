"""A copy under another key: marked, made once, adopted, and made in the forensic account too."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from actions import one_way
from actions.action import fields_of, name_of, step_of
from actions.aws.clients import Aws
from actions.aws.copy_snapshot import CopySnapshot
from actions.aws.share_snapshot import ShareSnapshot
from actions.errors import ProviderError, TargetGoneError, UnfitError
from tests.actions.aws.disk_copies import FORENSIC, KEY, completed


def arrange(world, estate):
    return CopySnapshot(completed(world, estate), world.account, KEY)


def test_the_copy_is_under_the_key_and_carries_mark_host_and_source(world, estate, op, ec2):
    action = arrange(world, estate)
    applied = op.apply(action)
    [made] = applied.after["copies"]
    assert (made["of"], made["key"]) == (action.source.snapshot_id, KEY)
    [found] = ec2.describe_snapshots(SnapshotIds=[made["id"]])["Snapshots"]
    assert found["Encrypted"]
    assert found["KmsKeyId"] == KEY
    assert {t["Key"]: t["Value"] for t in found["Tags"]} == {
        "stanch:mark": op.journal[applied.step].mark,
        "stanch:host": action.source.host_id,
        "stanch:copy-of": action.source.snapshot_id,
    }


def test_what_an_earlier_try_left_is_adopted(world, estate, op):
    action = arrange(world, estate)
    plan = one_way.foresee(action, op.p)
    intent = op.journal.intend(step_of(action), name_of(action), fields_of(action), plan)
    action.do(op.p, intent.mark, None)  # and the process died before it was recorded
    start = len(world.calls)
    assert op.apply(action).after["copies"]
    assert op.written(start) == []


def test_a_pending_snapshot_is_not_copied_and_can_be_later(world, estate, op, ec2):
    action = arrange(world, estate)
    volume = ec2.describe_snapshots(SnapshotIds=[action.source.snapshot_id])["Snapshots"][0]
    fresh = ec2.create_snapshot(VolumeId=volume["VolumeId"])["SnapshotId"]
    pending = replace(action, source=replace(action.source, snapshot_id=fresh))
    with pytest.raises(ProviderError, match="IncorrectState"):
        op.apply(pending)
    world.tick(world.ground.snapshot_seconds)
    assert op.apply(pending).verdict == "verified"


def test_a_snapshot_that_is_gone_or_a_key_that_is_no_arn_is_said(world, estate, op):
    action = arrange(world, estate)
    gone = replace(action, source=replace(action.source, snapshot_id="snap-0123456789abcdef0"))
    with pytest.raises(TargetGoneError, match="does not exist"):
        op.apply(gone)
    with pytest.raises(UnfitError, match="no ARN"):
        one_way.foresee(replace(action, key="alias/evidence"), op.p)


def forensic(world) -> Aws:
    """Return a provider in the forensic account."""
    session = world.session(world.root_of(FORENSIC))
    return Aws(FORENSIC, world.region, lambda service: session.client(service))


def test_the_forensic_account_copies_what_is_shared_with_it_and_nothing_else(world, estate, op):
    source = completed(world, estate, KEY)
    action = CopySnapshot(source, FORENSIC, KEY.replace(world.account, FORENSIC))
    there = forensic(world)
    with pytest.raises(TargetGoneError):
        action.do(there, "m", None)
    op.apply(ShareSnapshot(source, FORENSIC))
    action.do(there, "m", None)
    [made] = action.find(there, "m")["copies"]
    [found] = there.ec2.describe_snapshots(SnapshotIds=[made["id"]])["Snapshots"]
    assert found["OwnerId"] == FORENSIC
    with pytest.raises(ClientError, match="NotFound"):
        op.p.ec2.describe_snapshots(SnapshotIds=[made["id"]])
    with pytest.raises(UnfitError, match="was to be acted on in"):
        one_way.foresee(action, op.p)
