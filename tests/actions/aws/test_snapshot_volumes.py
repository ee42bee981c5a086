"""One request for all volumes, marked, found again, never waited for and never repeated."""

import pytest

from actions import one_way
from actions.action import fields_of, name_of, step_of
from actions.aws.snapshot_volumes import SnapshotVolumes
from actions.errors import UnfitError
from tests.actions.aws.operating import host_of


def arrange(world, estate):
    return SnapshotVolumes(host_of(world, estate))


def volumes(ec2, host) -> set[str]:
    found = ec2.describe_volumes(
        Filters=[{"Name": "attachment.instance-id", "Values": [host.instance_id]}]
    )["Volumes"]
    return {v["VolumeId"] for v in found}


def test_one_call_covers_every_volume_and_leaves_the_mark(world, estate, host, op, ec2):
    start = len(world.calls)
    applied = op.apply(arrange(world, estate))
    assert [c.operation for c in op.written(start)] == ["CreateSnapshots"]
    made = applied.after["snapshots"]
    assert {s["volume"] for s in made} == volumes(ec2, host)
    assert len(made) == 2
    mark = op.journal[applied.step].mark
    for found in ec2.describe_snapshots(SnapshotIds=[s["id"] for s in made])["Snapshots"]:
        tags = {t["Key"]: t["Value"] for t in found["Tags"]}
        assert tags == {"stanch:mark": mark, "stanch:host": host.instance_id}


def test_completion_is_not_waited_for(world, estate, host, op, ec2):
    made = op.apply(arrange(world, estate)).after["snapshots"]
    found = ec2.describe_snapshots(SnapshotIds=[s["id"] for s in made])["Snapshots"]
    assert {s["State"] for s in found} == {"pending"}


def test_what_an_earlier_try_left_is_adopted(world, estate, host, op, ec2):
    action = arrange(world, estate)
    plan = one_way.foresee(action, op.p)
    intent = op.journal.intend(step_of(action), name_of(action), fields_of(action), plan)
    action.do(op.p, intent.mark, None)  # and the process died before it was recorded
    start = len(world.calls)
    applied = op.apply(action)
    assert op.written(start) == []
    assert {s["volume"] for s in applied.after["snapshots"]} == volumes(ec2, host)


def test_snapshots_of_another_step_are_not_adopted(world, estate, op):
    action = arrange(world, estate)
    action.do(op.p, "another-mark", None)
    assert action.find(op.p, "this-mark") is None


def test_there_is_no_result_while_a_volume_is_missing(world, estate, host, op, ec2):
    action = arrange(world, estate)
    one = sorted(volumes(ec2, host))[0]
    ec2.create_snapshot(
        VolumeId=one,
        TagSpecifications=[
            {"ResourceType": "snapshot", "Tags": [{"Key": "stanch:mark", "Value": "m"}]}
        ],
    )
    assert action.find(op.p, "m") is None


def test_the_result_outlives_the_host(world, estate, host, op, ec2):
    action = arrange(world, estate)
    action.do(op.p, "m", None)
    both = action.find(op.p, "m")
    ec2.terminate_instances(InstanceIds=[host.instance_id])
    assert action.find(op.p, "m") == both


def test_a_host_without_volumes_is_refused_beforehand(world, estate, host, op):
    with pytest.raises(UnfitError, match="instance store"):
        arrange(world, estate).foresee(op.p, {"volumes": []})


def test_nothing_is_destroyed_so_no_approval_is_needed(world, estate, op):
    assert not SnapshotVolumes.destroys
    assert op.apply(arrange(world, estate), approval=None).verdict == "verified"
