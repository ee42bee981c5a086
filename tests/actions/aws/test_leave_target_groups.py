"""The host leaves every target group it is in, by id and by address, and comes back the same."""

import pytest

from actions import engine
from actions.aws.enter_standby import EnterStandby
from actions.aws.leave_target_groups import LeaveTargetGroups
from tests.actions.aws.operating import host_of


def arrange(world, estate):
    return LeaveTargetGroups(host_of(world, estate))


def registered(balancing) -> set[tuple[str, str, int]]:
    """Group name, target and port of all that may get requests."""
    return {
        (group["TargetGroupName"], t["Target"]["Id"], t["Target"]["Port"])
        for group in balancing.describe_target_groups()["TargetGroups"]
        for t in balancing.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
            "TargetHealthDescriptions"
        ]
        if t["TargetHealth"]["State"] != "draining"
    }


def another(balancing, vpc, name, kind) -> str:
    return balancing.create_target_group(
        Name=name, Protocol="HTTP", Port=8080, VpcId=vpc, TargetType=kind
    )["TargetGroups"][0]["TargetGroupArn"]


@pytest.fixture
def addresses(ec2, host) -> list[str]:
    found = ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [host.instance_id]}]
    )["NetworkInterfaces"]
    return sorted(n["PrivateIpAddress"] for n in found)


def test_all_registrations_end_and_come_back_with_their_ports(
    world, estate, host, op, balancing, addresses
):
    by_id = another(balancing, estate.vpc, "admin", "instance")
    by_address = another(balancing, estate.vpc, "direct", "ip")
    balancing.register_targets(
        TargetGroupArn=by_id, Targets=[{"Id": host.instance_id, "Port": 9443}]
    )
    balancing.register_targets(
        TargetGroupArn=by_address, Targets=[{"Id": a, "Port": 8081} for a in addresses]
    )
    before = registered(balancing)
    action = arrange(world, estate)
    op.apply(action)
    left = registered(balancing)
    assert before - left == {
        ("web", host.instance_id, 80),
        ("admin", host.instance_id, 9443),
        *(("direct", a, 8081) for a in addresses),
    }
    assert left == {("web", estate.sibling, 80)}
    op.undo(action)
    assert registered(balancing) == before


def test_the_same_address_in_another_network_is_another_host(
    world, estate, op, ec2, balancing, addresses
):
    elsewhere = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    group = another(balancing, elsewhere, "elsewhere", "ip")
    balancing.register_targets(TargetGroupArn=group, Targets=[{"Id": addresses[0], "Port": 80}])
    op.apply(arrange(world, estate))
    assert ("elsewhere", addresses[0], 80) in registered(balancing)


def test_after_standby_there_is_nothing_left_to_leave(world, estate, host, op, balancing):
    here = {t for t in registered(balancing) if t[1] == host.instance_id}
    assert here
    standby, leave = EnterStandby(host), arrange(world, estate)
    op.apply(standby)
    start = len(world.calls)
    assert op.apply(leave).verdict == "verified"  # the target drains still
    assert op.written(start) == []
    world.tick(600)  # and is gone by now
    op.undo(leave)
    op.undo(standby)
    assert {t for t in registered(balancing) if t[1] == host.instance_id} == here


def test_a_draining_target_counts_as_gone(world, estate, host, op, balancing):
    balancing.deregister_targets(
        TargetGroupArn=estate.target_group, Targets=[{"Id": host.instance_id}]
    )
    assert set(arrange(world, estate).read(op.p).values()) == {None}


def test_how_many_healthy_targets_stay_is_said_beforehand(world, estate, op, balancing):
    plan = engine.plan(arrange(world, estate), op.p)
    states = {
        t["Target"]["Id"]: t["TargetHealth"]["State"]
        for t in balancing.describe_target_health(TargetGroupArn=estate.target_group)[
            "TargetHealthDescriptions"
        ]
    }
    healthy = [i for i, s in states.items() if s == "healthy" and i != estate.target]
    assert plan.blast == (f"web keeps {len(healthy)} healthy targets",)


def test_health_may_change_but_a_zone_may_not(world, estate):
    action = arrange(world, estate)
    one = {"port": 80, "zone": "all", "health": "healthy"}
    assert action.same("target/x", one, one | {"health": "initial"})
    assert not action.same("target/x", one, one | {"zone": None})
    assert not action.same("target/x", one, one | {"port": 81})
    assert not action.same("target/x", one, None)
    assert action.same("target/x", None, None)
