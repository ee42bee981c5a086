"""Targets drain, and are as healthy as they can be reached.

AWS: DeregisterTargets; Deregistration delay; Target group health checks.
"""

import pytest


@pytest.fixture
def states(elb, estate):
    def read(*instances) -> dict:
        named = {"Targets": [{"Id": i} for i in instances]} if instances else {}
        health = elb.describe_target_health(TargetGroupArn=estate.target_group, **named)
        return {
            d["Target"]["Id"]: d["TargetHealth"]["State"]
            for d in health["TargetHealthDescriptions"]
        }

    return read


def deregister(elb, estate) -> None:
    elb.deregister_targets(TargetGroupArn=estate.target_group, Targets=[{"Id": estate.target}])


def test_a_deregistered_target_drains_and_is_then_unused(world, elb, estate, states):
    deregister(elb, estate)
    assert states()[estate.target] == "draining"
    world.tick(299)
    assert states()[estate.target] == "draining"
    world.tick(2)
    assert states() == {estate.sibling: "healthy"}
    assert states(estate.target) == {estate.target: "unused"}


def test_the_delay_is_the_groups_own(world, elb, estate, states):
    elb.modify_target_group_attributes(
        TargetGroupArn=estate.target_group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
    )
    deregister(elb, estate)
    world.tick(31)
    assert states() == {estate.sibling: "healthy"}


def test_registering_again_ends_the_draining(world, elb, estate, states):
    before = world.digest()
    deregister(elb, estate)
    elb.register_targets(
        TargetGroupArn=estate.target_group, Targets=[{"Id": estate.target, "Port": 443}]
    )
    assert states()[estate.target] == "healthy"
    assert world.digest() == before


def test_deregistering_twice_changes_nothing_more(world, elb, estate):
    deregister(elb, estate)
    once = world.digest()
    deregister(elb, estate)
    assert world.digest() == once


def test_a_target_that_the_load_balancer_cannot_reach_is_unhealthy(ec2, elb, estate, states):
    ec2.revoke_security_group_ingress(
        GroupId=estate.app_group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "UserIdGroupPairs": [{"GroupId": estate.balancer_group}],
            }
        ],
    )
    assert states() == {estate.target: "unhealthy", estate.sibling: "unhealthy"}
    ec2.authorize_security_group_ingress(
        GroupId=estate.app_group, IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="10.20.0.0/16"
    )
    assert states() == {estate.target: "healthy", estate.sibling: "healthy"}


def test_an_unknown_target_group_is_an_error(elb, refused, estate):
    unknown = estate.target_group[:-1] + "0"
    code = refused(elb.deregister_targets, TargetGroupArn=unknown, Targets=[{"Id": estate.target}])
    assert code == "TargetGroupNotFound"


def test_a_group_without_a_load_balancer_is_not_in_use(elb, estate):
    made = elb.create_target_group(Name="alone", Protocol="HTTP", Port=80, VpcId=estate.vpc)
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": estate.sibling}])
    [only] = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert only["TargetHealth"] == {"State": "unused", "Reason": "Target.NotInUse"}
