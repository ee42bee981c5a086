"""Protection holds, and each prior value comes back as it was."""

import pytest
from botocore.exceptions import ClientError

from actions.aws.instance import Instance
from actions.aws.protect_from_termination import ProtectFromTermination
from tests.actions.aws.operating import host_of


def arrange(world, estate):
    return ProtectFromTermination(host_of(world, estate))


def set_to(ec2, host, terminate, stop, shutdown, keep):
    for what in (
        {"DisableApiTermination": {"Value": terminate}},
        {"DisableApiStop": {"Value": stop}},
        {"InstanceInitiatedShutdownBehavior": {"Value": shutdown}},
        {
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": not keep}}
            ]
        },
    ):
        ec2.modify_instance_attribute(InstanceId=host.instance_id, **what)


def seen(ec2, host) -> dict[str, object]:
    def attribute(name: str) -> object:
        answer = ec2.describe_instance_attribute(InstanceId=host.instance_id, Attribute=name)
        return answer[name[0].upper() + name[1:]]["Value"]

    [found] = ec2.describe_instances(InstanceIds=[host.instance_id])["Reservations"]
    return {
        "terminate": attribute("disableApiTermination"),
        "stop": attribute("disableApiStop"),
        "shutdown": attribute("instanceInitiatedShutdownBehavior"),
    } | {
        d["DeviceName"]: d["Ebs"]["DeleteOnTermination"]
        for d in found["Instances"][0]["BlockDeviceMappings"]
    }


@pytest.mark.parametrize(
    "prior",
    [
        (False, False, "terminate", False),
        (True, False, "stop", True),
        (False, True, "terminate", True),
        (True, True, "stop", False),
    ],
)
def test_prior_values_of_every_protection_come_back(world, estate, host, op, ec2, prior):
    set_to(ec2, host, *prior)
    before = seen(ec2, host)
    action = arrange(world, estate)
    op.apply(action)
    assert seen(ec2, host) == {
        "terminate": True,
        "stop": True,
        "shutdown": "stop",
        "/dev/sda1": False,
        "/dev/sdf": False,
    }
    op.undo(action)
    assert seen(ec2, host) == before


def test_one_attribute_a_call_and_none_for_what_is_so_already(world, estate, host, op, ec2):
    set_to(ec2, host, True, False, "stop", True)
    start = len(world.calls)
    op.apply(arrange(world, estate))
    calls = op.written(start)
    assert {c.operation for c in calls} == {"ModifyInstanceAttribute"}
    assert all(len(c.params) == 2 for c in calls)  # the instance, and one attribute
    assert len(calls) == 2  # stop protection, and the root volume


def test_a_protected_host_can_neither_be_ended_nor_stopped(world, estate, host, op, ec2):
    op.apply(arrange(world, estate))
    for call in (ec2.terminate_instances, ec2.stop_instances):
        with pytest.raises(ClientError, match="Modify its 'disableApi"):
            call(InstanceIds=[host.instance_id])


def test_a_spot_host_is_protected_as_far_as_aws_lets_it_and_never_called_verified(
    world, estate, op, ec2
):
    made = ec2.run_instances(
        ImageId=estate.image,
        MinCount=1,
        MaxCount=1,
        SubnetId=estate.subnet,
        InstanceMarketOptions={"MarketType": "spot"},
    )["Instances"][0]["InstanceId"]
    spot = Instance(world.account, world.region, made)
    applied = op.apply(ProtectFromTermination(spot))
    assert applied.verdict == "unverified"
    plan = op.journal[applied.step].plan
    assert set(plan.unseen) == {"terminate", "stop"}
    assert any("reclaimed" in line for line in plan.lost)
    assert seen(ec2, spot)["terminate"] is False
    assert seen(ec2, spot)["/dev/sda1"] is False
