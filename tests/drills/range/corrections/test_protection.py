"""Protection covers a whole request, and not what it does not cover.

AWS: Change instance termination protection; Enable stop protection; Change instance initiated
shutdown behavior.
"""

import pytest

from playbooks.drills.range.errors import UnknownThingError


def state(ec2, instance) -> str:
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return found["State"]["Name"]


@pytest.mark.parametrize(
    ("flag", "verb", "ended"),
    [
        ("DisableApiTermination", "terminate_instances", "terminated"),
        ("DisableApiStop", "stop_instances", "stopped"),
    ],
)
def test_one_protected_instance_saves_all_of_the_request(ec2, refused, estate, flag, verb, ended):
    both = {"InstanceIds": [estate.sibling, estate.target]}
    ec2.modify_instance_attribute(InstanceId=estate.target, **{flag: {"Value": True}})
    assert refused(getattr(ec2, verb), **both) == "OperationNotPermitted"
    assert {state(ec2, i) for i in both["InstanceIds"]} == {"running"}
    ec2.modify_instance_attribute(InstanceId=estate.target, **{flag: {"Value": False}})
    getattr(ec2, verb)(**both)
    assert {state(ec2, i) for i in both["InstanceIds"]} == {ended}


def test_an_unknown_instance_saves_all_of_the_request(ec2, refused, estate):
    some = {"InstanceIds": [estate.target, "i-0123456789abcdef0"]}
    assert refused(ec2.terminate_instances, **some) == "InvalidInstanceID.NotFound"
    assert state(ec2, estate.target) == "running"


@pytest.mark.parametrize(
    ("behaviour", "becomes"), [("stop", "stopped"), ("terminate", "terminated")]
)
def test_a_shutdown_from_inside_follows_its_behaviour_and_no_api_flag(
    world, ec2, estate, behaviour, becomes
):
    for what in (
        {"DisableApiTermination": {"Value": True}},
        {"DisableApiStop": {"Value": True}},
        {"InstanceInitiatedShutdownBehavior": {"Value": behaviour}},
    ):
        ec2.modify_instance_attribute(InstanceId=estate.target, **what)
    world.shut_down_from_inside(estate.target)
    assert state(ec2, estate.target) == becomes


def test_what_does_not_exist_cannot_shut_down(world):
    with pytest.raises(UnknownThingError, match="no instance"):
        world.shut_down_from_inside("i-0123456789abcdef0")
