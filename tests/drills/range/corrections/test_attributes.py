"""Instance attributes are set exactly and read back (AWS: ModifyInstanceAttribute)."""

import base64

import pytest


@pytest.fixture
def read(ec2, estate):
    def attribute(name: str):
        answer = ec2.describe_instance_attribute(InstanceId=estate.target, Attribute=name)
        answer.pop("ResponseMetadata")
        assert answer.pop("InstanceId") == estate.target
        [value] = answer.values()
        return value.get("Value") if isinstance(value, dict) else value

    return attribute


@pytest.fixture
def modify(ec2, estate):
    def attribute(**what):
        ec2.modify_instance_attribute(InstanceId=estate.target, **what)

    return attribute


@pytest.mark.parametrize(
    ("attribute", "parameter", "before", "after"),
    [
        ("disableApiTermination", "DisableApiTermination", False, True),
        ("disableApiStop", "DisableApiStop", False, True),
        ("ebsOptimized", "EbsOptimized", False, True),
        (
            "instanceInitiatedShutdownBehavior",
            "InstanceInitiatedShutdownBehavior",
            "stop",
            "terminate",
        ),
    ],
)
@pytest.mark.parametrize("spelling", ["new", "old"])
def test_each_is_set_alone_and_back(
    world, read, modify, attribute, parameter, before, after, spelling
):
    start = world.digest()
    for value in (after, before):
        if spelling == "new":
            modify(**{parameter: {"Value": value}})
        else:
            modify(Attribute=attribute, Value=str(value).lower())
        assert read(attribute) == value
    # Only this changed, and it is back: the groups above all, which moto would clear.
    assert world.digest() == start


def test_delete_on_termination_is_each_disks_own(ec2, estate, read, modify):
    modify(BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": False}}])
    disks = {d["DeviceName"]: d["Ebs"] for d in read("blockDeviceMapping")}
    assert {d: e["DeleteOnTermination"] for d, e in disks.items()} == {
        "/dev/sda1": True,
        "/dev/sdf": False,
    }
    assert tuple(e["VolumeId"] for e in disks.values()) == estate.volumes
    ec2.terminate_instances(InstanceIds=[estate.target])
    left = {v["VolumeId"] for v in ec2.describe_volumes()["Volumes"]}
    assert left & set(estate.volumes) == {estate.volumes[1]}


def test_one_attribute_a_call_and_only_known_ones(world, ec2, refused, estate):
    before = world.digest()
    target = {"InstanceId": estate.target}
    yes = {"Value": True}
    modify = ec2.modify_instance_attribute
    two = {"DisableApiTermination": yes, "DisableApiStop": yes}
    assert refused(modify, **target, **two) == "InvalidParameterCombination"
    assert refused(modify, **target) == "InvalidParameterCombination"
    bad = {"InstanceInitiatedShutdownBehavior": {"Value": "explode"}}
    assert refused(modify, **target, **bad) == "InvalidParameterValue"
    gone = {"InstanceId": "i-0123456789abcdef0", "DisableApiStop": yes}
    assert refused(modify, **gone) == "InvalidInstanceID.NotFound"
    disk = {
        "BlockDeviceMappings": [{"DeviceName": "/dev/no", "Ebs": {"DeleteOnTermination": True}}]
    }
    assert refused(modify, **target, **disk) == "InvalidInstanceAttributeValue"
    # AWS: with several interfaces this flag belongs to each interface.
    assert refused(modify, **target, SourceDestCheck={"Value": False}) == "InvalidInstanceID"
    describe = ec2.describe_instance_attribute
    assert refused(describe, **target, Attribute="nonsense") == "InvalidParameterValue"
    assert world.digest() == before


def test_source_dest_check_with_one_interface(ec2, estate):
    sibling = {"InstanceId": estate.sibling}
    ec2.modify_instance_attribute(**sibling, SourceDestCheck={"Value": False})
    told = ec2.describe_instance_attribute(**sibling, Attribute="sourceDestCheck")
    assert told["SourceDestCheck"]["Value"] is False


def test_type_and_user_data_change_only_while_stopped(ec2, refused, estate, read, modify):
    wanted = {"InstanceType": {"Value": "m6i.xlarge"}}
    change = ec2.modify_instance_attribute
    assert refused(change, InstanceId=estate.target, **wanted) == "IncorrectInstanceState"
    ec2.stop_instances(InstanceIds=[estate.target])
    modify(**wanted)
    modify(UserData={"Value": b"#!/bin/sh\n"})
    assert read("instanceType") == "m6i.xlarge"
    assert base64.b64decode(read("userData")) == b"#!/bin/sh\n"


def test_groups_are_told_of_the_primary_interface(read, estate):
    assert [g["GroupId"] for g in read("groupSet")] == [estate.app_group]
    assert read("rootDeviceName") == "/dev/sda1"
    assert read("kernel") is None
