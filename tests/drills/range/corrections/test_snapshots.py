"""Snapshots are requested now and complete later (AWS: CreateSnapshots, DescribeSnapshots)."""

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def take(ec2, estate):
    def snapshots(**how):
        spec = {"InstanceId": estate.target, **how.pop("spec", {})}
        return ec2.create_snapshots(InstanceSpecification=spec, **how)["Snapshots"]

    return snapshots


def states(ec2, estate) -> dict[str, tuple[str, str]]:
    of_target = [{"Name": "volume-id", "Values": list(estate.volumes)}]
    found = ec2.describe_snapshots(OwnerIds=["self"], Filters=of_target)["Snapshots"]
    return {s["VolumeId"]: (s["State"], s["Progress"]) for s in found}


def test_one_call_takes_all_volumes_and_they_complete_in_time(world, ec2, estate, take):
    world.ground.snapshot_seconds = 100
    made = take(
        Description="evidence",
        TagSpecifications=[
            {"ResourceType": "snapshot", "Tags": [{"Key": "incident", "Value": "1"}]}
        ],
    )
    assert {s["VolumeId"] for s in made} == set(estate.volumes)
    assert {s["State"] for s in made} == {"pending"}
    assert all(s["Tags"] == [{"Key": "incident", "Value": "1"}] for s in made)
    requested = world.digest()
    world.tick(50)
    assert {state for state, _ in states(ec2, estate).values()} == {"pending"}
    world.tick(51)
    assert states(ec2, estate) == dict.fromkeys(estate.volumes, ("completed", "100%"))
    assert world.digest() == requested


def test_the_filter_on_status_sees_the_state_of_now(world, ec2, take):
    take()
    pending = [{"Name": "status", "Values": ["pending"]}]
    assert len(ec2.describe_snapshots(Filters=pending)["Snapshots"]) == 2
    world.tick(1000)
    assert ec2.describe_snapshots(Filters=pending)["Snapshots"] == []


def test_volumes_can_be_left_out(ec2, refused, estate, take):
    root, data = estate.volumes
    assert {s["VolumeId"] for s in take(spec={"ExcludeBootVolume": True})} == {data}
    assert {s["VolumeId"] for s in take(spec={"ExcludeDataVolumeIds": [data]})} == {root}
    nothing = {
        "InstanceId": estate.target,
        "ExcludeBootVolume": True,
        "ExcludeDataVolumeIds": [data],
    }
    code = refused(ec2.create_snapshots, InstanceSpecification=nothing)
    assert code == "InvalidParameterValue"


def test_tags_are_copied_from_the_volume_when_asked(ec2, estate, take):
    ec2.create_tags(Resources=[estate.volumes[0]], Tags=[{"Key": "data", "Value": "orders"}])
    plain = {s["VolumeId"]: s["Tags"] for s in take()}
    copied = {s["VolumeId"]: s["Tags"] for s in take(CopyTagsFromSource="volume")}
    assert plain[estate.volumes[0]] == []
    assert copied[estate.volumes[0]] == [{"Key": "data", "Value": "orders"}]


def test_a_single_snapshot_and_a_copy_are_pending_too(world, ec2, estate):
    one = ec2.create_snapshot(VolumeId=estate.volumes[0])
    assert (one["State"], one["Progress"]) == ("pending", "0%")
    source = {"SourceSnapshotId": one["SnapshotId"], "SourceRegion": world.region}
    with pytest.raises(ClientError, match="IncorrectState"):
        ec2.copy_snapshot(**source)
    world.tick(world.ground.snapshot_seconds)
    copy = ec2.copy_snapshot(**source)
    found = ec2.describe_snapshots(SnapshotIds=[copy["SnapshotId"]])["Snapshots"]
    assert [s["State"] for s in found] == ["pending"]


def test_console_output_is_the_instances_own_and_stays(world, ec2, estate):
    first = ec2.get_console_output(InstanceId=estate.target)
    world.tick(60)
    again = ec2.get_console_output(InstanceId=estate.target)
    assert (first["Output"], first["Timestamp"]) == (again["Output"], again["Timestamp"])
    assert estate.target in first["Output"]
    assert first["Output"] != ec2.get_console_output(InstanceId=estate.sibling)["Output"]
