"""The host passes through an allow-all group, and no crash leaves it there."""

from itertools import pairwise

import pytest

from actions import engine
from actions.action import step_of
from actions.aws.convert_tracked_connections import ConvertTrackedConnections
from actions.aws.isolate_instance import IsolateInstance
from actions.errors import DriftError, UnfitError
from tests.actions.aws.operating import Operator, host_of

V4, V6 = "0.0.0.0/0", "::/0"


def arrange(world, estate):
    host = host_of(world, estate)
    Operator(world).apply(IsolateInstance(host))
    return ConvertTrackedConnections(host)


def peers(ec2, group_id) -> set[tuple[bool, str]]:
    filters = [{"Name": "group-id", "Values": [group_id]}]
    found = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    assert {r["IpProtocol"] for r in found} <= {"-1"}
    return {(r["IsEgress"], r.get("CidrIpv4") or r["CidrIpv6"]) for r in found}


def group_names(ec2, host) -> list[list[str]]:
    found = ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [host.instance_id]}]
    )["NetworkInterfaces"]
    return [[g["GroupName"] for g in n["Groups"]] for n in found]


def is_quarantined(ec2, host) -> bool:
    """In quarantine with every interface, and no group that allows anything is left."""
    name = f"stanch-quarantine-{host.instance_id}"
    left = ec2.describe_security_groups(
        Filters=[{"Name": "tag-key", "Values": ["stanch:conversion"]}]
    )["SecurityGroups"]
    return group_names(ec2, host) == [[name], [name]] and left == []


def test_both_address_families_are_open_both_ways_for_the_dwell(world, estate, host, op, ec2):
    action = arrange(world, estate)
    steps = engine.apply(action, op.p, op.journal, step_of(action))
    waits = []
    for wait in steps:
        world.tick(wait)
        waits.append(wait)
        if wait == action.dwell:
            assert group_names(ec2, host) == [[action.name], [action.name]]
            [group] = ec2.describe_security_groups(
                Filters=[{"Name": "group-name", "Values": [action.name]}]
            )["SecurityGroups"]
            assert peers(ec2, group["GroupId"]) == {
                (way, family) for way in (True, False) for family in (V4, V6)
            }
    assert waits.count(60.0) == 1
    assert is_quarantined(ec2, host)


def test_a_process_that_dies_during_the_dwell_leaves_no_host_open(world, estate, host, op, ec2):
    action = arrange(world, estate)
    steps = engine.apply(action, op.p, op.journal, step_of(action))
    while next(steps) != action.dwell:
        pass
    del steps  # nobody drives it any further
    assert not is_quarantined(ec2, host)
    assert op.finish(action)
    assert is_quarantined(ec2, host)
    assert op.apply(action).verdict == "verified"  # the step itself is entered again as usual
    assert is_quarantined(ec2, host)


# What the calls before a crash have left: none to all of them, in the order they are made.
CALLS = ["create", "ingress v4", "ingress v6", "egress v4", "egress v6", "first", "second"]


@pytest.mark.parametrize("made", range(1, len(CALLS) + 1), ids=lambda n: f"after {CALLS[n - 1]}")
@pytest.mark.parametrize("way", ["finish", "again", "undo"])
def test_no_crash_leaves_a_host_on_the_allow_all_group(world, estate, host, op, ec2, made, way):
    action = arrange(world, estate)
    op.intend(action)
    group = ec2.create_security_group(
        GroupName=action.name,
        Description="-",
        VpcId=estate.vpc,
        TagSpecifications=[
            {
                "ResourceType": "security-group",
                "Tags": [{"Key": "stanch:conversion", "Value": host.instance_id}],
            }
        ],
    )["GroupId"]
    born = [r["SecurityGroupRuleId"] for r in rules_of(ec2, group)]
    ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=born)
    for call in CALLS[1 : min(made, 5)]:
        way_in = call.startswith("ingress")
        authorize = (
            ec2.authorize_security_group_ingress if way_in else ec2.authorize_security_group_egress
        )
        v4, v6 = {"IpRanges": [{"CidrIp": V4}]}, {"Ipv6Ranges": [{"CidrIpv6": V6}]}
        peer = v4 if call.endswith("v4") else v6
        authorize(GroupId=group, IpPermissions=[{"IpProtocol": "-1", **peer}])
    nics = sorted(k.removeprefix("groups/") for k in action.read(op.p) if k.startswith("groups/"))
    for eni in nics[: max(made - 5, 0)]:
        ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[group])
    {"finish": op.finish, "again": op.apply, "undo": op.undo}[way](action)
    assert is_quarantined(ec2, host)


def rules_of(ec2, group) -> list[dict]:
    filters = [{"Name": "group-id", "Values": [group]}]
    return ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]


def test_the_dwell_lies_between_opening_and_closing(world, estate, host, op):
    action = ConvertTrackedConnections(arrange(world, estate).host, dwell=75.0)
    start, began = len(world.calls), world.now()
    op.apply(action)
    moved = [c for c in op.written(start) if c.operation == "ModifyNetworkInterfaceAttribute"]
    gaps = [(b.at - a.at).total_seconds() for a, b in pairwise(moved)]
    assert len(moved) == 4
    assert max(gaps) == pytest.approx(75.0, abs=5.0)
    assert gaps.index(max(gaps)) == 1  # two in, the dwell, two out
    assert (world.now() - began).total_seconds() >= 75.0


def test_a_host_that_is_not_isolated_is_never_opened(world, estate, host, op):
    start = len(world.calls)
    with pytest.raises(UnfitError, match="not isolated"):
        op.apply(ConvertTrackedConnections(host))
    assert op.written(start) == []


def test_the_danger_is_said_beforehand(world, estate, op):
    [blast] = engine.plan(arrange(world, estate), op.p).blast
    assert "DANGER" in blast
    assert "60 s" in blast


def test_a_host_that_left_quarantine_meanwhile_is_not_opened(world, estate, host, op, ec2):
    action = arrange(world, estate)
    op.intend(action)
    eni = next(k for k in action.read(op.p) if k.startswith("groups/")).removeprefix("groups/")
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[estate.app_group])
    start = len(world.calls)
    with pytest.raises(DriftError):
        op.apply(action)
    opened = [c for c in op.written(start) if c.operation.startswith("Authorize")]
    assert opened == []
