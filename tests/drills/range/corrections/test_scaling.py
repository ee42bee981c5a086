"""Scaling groups behave as documented.

AWS: EnterStandby, ExitStandby, Temporarily remove instances; Health checks for instances in an
Auto Scaling group; Suspend and resume processes; Use instance scale-in protection.
"""

import pytest


@pytest.fixture
def group(scaling, estate):
    def read() -> dict:
        [found] = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return {
            "desired": found["DesiredCapacity"],
            "lifecycle": {i["InstanceId"]: i["LifecycleState"] for i in found["Instances"]},
        }

    return read


@pytest.fixture
def targets(elb, estate):
    def read() -> dict:
        health = elb.describe_target_health(TargetGroupArn=estate.target_group)
        return {
            d["Target"]["Id"]: d["TargetHealth"]["State"]
            for d in health["TargetHealthDescriptions"]
        }

    return read


@pytest.fixture
def standby(estate):
    return {"AutoScalingGroupName": estate.scaling_group, "InstanceIds": [estate.target]}


def isolate(ec2, estate, *, instance=None) -> str:
    """Put every interface into a group that lets nothing in."""
    empty = ec2.create_security_group(GroupName="empty", Description="-", VpcId=estate.vpc)
    for nic in estate.interfaces:
        ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, Groups=[empty["GroupId"]])
    return empty["GroupId"]


def state(ec2, instance) -> str:
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return found["State"]["Name"]


def test_standby_with_decrement_leaves_the_load_balancer_and_lowers_desired(
    scaling, estate, group, targets, standby
):
    scaling.enter_standby(**standby, ShouldDecrementDesiredCapacity=True)
    assert group() == {
        "desired": 1,
        "lifecycle": {estate.target: "Standby", estate.sibling: "InService"},
    }
    assert targets() == {estate.target: "draining", estate.sibling: "healthy"}


def test_standby_with_decrement_cannot_go_below_the_minimum(
    world, scaling, estate, refused, standby
):
    both = {**standby, "InstanceIds": [estate.target, estate.sibling]}
    before = world.digest()
    code = refused(scaling.enter_standby, **both, ShouldDecrementDesiredCapacity=True)
    assert code == "ValidationError"
    assert world.digest() == before


def test_standby_without_decrement_launches_a_replacement_like_the_others(
    ec2, scaling, estate, group, targets, standby
):
    scaling.enter_standby(**standby, ShouldDecrementDesiredCapacity=False)
    now = group()
    assert now["desired"] == 2
    [new] = set(now["lifecycle"]) - {estate.target, estate.sibling}
    assert now["lifecycle"][new] == "InService"
    assert targets()[new] == "healthy"
    found = ec2.describe_instances(InstanceIds=[new])["Reservations"][0]["Instances"][0]
    assert found["ImageId"] == estate.image
    assert found["IamInstanceProfile"]["Arn"] == estate.profile_arn
    assert [g["GroupId"] for g in found["SecurityGroups"]] == [estate.app_group]


def test_exit_standby_registers_again_and_raises_desired(scaling, estate, group, targets, standby):
    before = group(), targets()
    scaling.enter_standby(**standby, ShouldDecrementDesiredCapacity=True)
    scaling.exit_standby(**standby)
    assert (group(), targets()) == before


def test_exit_standby_cannot_go_above_the_maximum(scaling, refused, group, standby):
    scaling.enter_standby(**standby, ShouldDecrementDesiredCapacity=False)
    scaling.set_desired_capacity(
        AutoScalingGroupName=standby["AutoScalingGroupName"], DesiredCapacity=3
    )
    before = group()
    assert refused(scaling.exit_standby, **standby) == "ValidationError"
    assert group() == before


def test_only_members_in_the_right_state_move(scaling, refused, estate, standby):
    assert refused(scaling.exit_standby, **standby) == "ValidationError"
    stranger = {**standby, "InstanceIds": ["i-0123456789abcdef0"]}
    decrement = {"ShouldDecrementDesiredCapacity": True}
    assert refused(scaling.enter_standby, **stranger, **decrement) == "ValidationError"
    nowhere = {**standby, "AutoScalingGroupName": "none"}
    assert refused(scaling.enter_standby, **nowhere, **decrement) == "ValidationError"
    scaling.enter_standby(**standby, **decrement)
    assert refused(scaling.enter_standby, **standby, **decrement) == "ValidationError"


@pytest.mark.parametrize(("wanted", "fits"), [(0, False), (1, True), (3, True), (4, False)])
def test_desired_capacity_stays_within_the_bounds(scaling, refused, estate, group, wanted, fits):
    order = {"AutoScalingGroupName": estate.scaling_group, "DesiredCapacity": wanted}
    if fits:
        scaling.set_desired_capacity(**order)
        assert (group()["desired"], len(group()["lifecycle"])) == (wanted, wanted)
    else:
        assert refused(scaling.set_desired_capacity, **order) == "ValidationError"
        assert group()["desired"] == 2


def test_isolating_an_instance_in_service_makes_the_group_destroy_the_evidence(
    world, ec2, estate, group
):
    ec2.modify_instance_attribute(InstanceId=estate.target, DisableApiTermination={"Value": True})
    world.tick(120)
    isolate(ec2, estate)
    world.tick(20)
    assert estate.target in group()["lifecycle"]
    world.tick(600)
    assert state(ec2, estate.target) == "terminated"
    now = group()
    assert estate.target not in now["lifecycle"]
    assert (now["desired"], len(now["lifecycle"])) == (2, 2)


def test_in_standby_it_is_left_alone(world, ec2, scaling, estate, group, standby):
    scaling.enter_standby(**standby, ShouldDecrementDesiredCapacity=True)
    isolate(ec2, estate)
    world.tick(3600)
    assert state(ec2, estate.target) == "running"
    assert group()["lifecycle"] == {estate.target: "Standby", estate.sibling: "InService"}


@pytest.mark.parametrize("process", ["ReplaceUnhealthy", "HealthCheck", "Terminate"])
def test_with_the_process_suspended_it_is_left_alone_until_resumed(
    world, ec2, scaling, estate, process
):
    order = {"AutoScalingGroupName": estate.scaling_group, "ScalingProcesses": [process]}
    scaling.suspend_processes(**order)
    isolate(ec2, estate)
    world.tick(3600)
    assert state(ec2, estate.target) == "running"
    scaling.resume_processes(**order)
    world.tick(3600)
    assert state(ec2, estate.target) == "terminated"


def test_scale_in_protection_does_not_save_an_unhealthy_instance(world, ec2, scaling, estate):
    scaling.set_instance_protection(
        AutoScalingGroupName=estate.scaling_group,
        InstanceIds=[estate.target],
        ProtectedFromScaleIn=True,
    )
    isolate(ec2, estate)
    world.tick(3600)
    assert state(ec2, estate.target) == "terminated"


def test_scale_in_takes_the_unprotected_one(ec2, scaling, estate, group):
    scaling.set_instance_protection(
        AutoScalingGroupName=estate.scaling_group,
        InstanceIds=[estate.target],
        ProtectedFromScaleIn=True,
    )
    scaling.set_desired_capacity(AutoScalingGroupName=estate.scaling_group, DesiredCapacity=1)
    assert group()["lifecycle"] == {estate.target: "InService"}


def test_a_new_instance_has_its_grace_period(world, ec2, scaling, estate, standby):
    world.tick(3600)
    isolate(ec2, estate)
    scaling.enter_standby(**standby, ShouldDecrementDesiredCapacity=True)
    scaling.exit_standby(**standby)
    world.tick(30)
    world.tick(29)
    assert state(ec2, estate.target) == "running"


def test_with_launch_suspended_nothing_is_replaced(scaling, group, estate, standby):
    scaling.suspend_processes(
        AutoScalingGroupName=estate.scaling_group, ScalingProcesses=["Launch"]
    )
    scaling.enter_standby(**standby, ShouldDecrementDesiredCapacity=False)
    assert set(group()["lifecycle"]) == {estate.target, estate.sibling}


def test_with_adding_suspended_a_returning_instance_stays_out_of_the_load_balancer(
    world, scaling, estate, targets, standby
):
    scaling.enter_standby(**standby, ShouldDecrementDesiredCapacity=True)
    scaling.suspend_processes(
        AutoScalingGroupName=estate.scaling_group, ScalingProcesses=["AddToLoadBalancer"]
    )
    scaling.exit_standby(**standby)
    world.tick(301)
    assert targets() == {estate.sibling: "healthy"}


def test_a_terminated_member_is_replaced(ec2, estate, group):
    ec2.terminate_instances(InstanceIds=[estate.target])
    now = group()
    assert estate.target not in now["lifecycle"]
    assert len(now["lifecycle"]) == 2
