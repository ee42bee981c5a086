"""Isolation takes every interface, v4 and v6, and gives each its own groups back in order."""

import pytest
from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.aws.instance import Instance
from actions.aws.isolate_instance import IsolateInstance
from actions.errors import DriftError, ProviderError, TargetGoneError, UnfitError
from tests.actions.aws.operating import host_of


def arrange(world, estate):
    return IsolateInstance(host_of(world, estate))


def groups(ec2, host) -> dict[str, list[str]]:
    found = ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [host.instance_id]}]
    )["NetworkInterfaces"]
    return {n["NetworkInterfaceId"]: [g["GroupId"] for g in n["Groups"]] for n in found}


def rules(ec2, group_id) -> list[dict]:
    filters = [{"Name": "group-id", "Values": [group_id]}]
    return ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]


def test_each_of_several_interfaces_gets_its_own_groups_back_in_order(world, estate, host, op, ec2):
    before = groups(ec2, host)
    assert sorted(len(g) for g in before.values()) == [1, 2]  # they differ, or this shows nothing
    action = arrange(world, estate)
    op.apply(action)
    [[quarantine]] = {tuple(g) for g in groups(ec2, host).values()}
    assert rules(ec2, quarantine) == []
    op.undo(action)
    assert groups(ec2, host) == before
    with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound"):
        ec2.describe_security_groups(GroupIds=[quarantine])


def test_groups_are_never_set_through_the_instance(world, estate, host, op):
    # With several interfaces ModifyInstanceAttribute(Groups) errors.
    action = arrange(world, estate)
    op.apply(action)
    op.undo(action)
    assert "ModifyInstanceAttribute" not in {c.operation for c in op.written()[1:]}


def test_v6_egress_goes_with_v4_egress(world, estate, host, op, ec2):
    action = arrange(world, estate)
    op.intend(action)
    start = len(world.calls)
    op.apply(action)
    made = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [action.name]}])[
        "SecurityGroups"
    ][0]["GroupId"]
    assert rules(ec2, made) == []
    [revoked] = [c for c in op.written(start) if c.operation == "RevokeSecurityGroupEgress"]
    # AWS gives a group in a VPC with IPv6 both rules; each went by its id.
    assert len(revoked.params["SecurityGroupRuleIds"]) == 2


def test_a_group_that_a_crash_left_with_egress_is_finished_and_not_taken_for_drift(
    world, estate, host, op, ec2
):
    action = arrange(world, estate)
    op.intend(action)
    own = {
        "ResourceType": "security-group",
        "Tags": [{"Key": "stanch:quarantine", "Value": host.instance_id}],
    }
    made = ec2.create_security_group(
        GroupName=action.name, Description="-", VpcId=estate.vpc, TagSpecifications=[own]
    )["GroupId"]
    assert rules(ec2, made)
    assert op.apply(action).verdict == "verified"
    assert rules(ec2, made) == []
    assert set(map(tuple, groups(ec2, host).values())) == {(made,)}


def test_an_allowance_put_into_the_quarantine_group_is_drift(world, estate, host, op, ec2):
    action = arrange(world, estate)
    op.apply(action)
    [[quarantine]] = {tuple(g) for g in groups(ec2, host).values()}
    ec2.authorize_security_group_ingress(
        GroupId=quarantine, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="198.51.100.7/32"
    )
    with pytest.raises(DriftError, match=r"198\.51\.100\.7/32 tcp 22-22"):
        op.undo(action)
    assert op.journal[f"isolate_instance/{host.key}"].phase == "undoing"


def test_a_group_of_that_name_that_is_not_ours_is_refused(world, estate, host, op, ec2):
    action = arrange(world, estate)
    ec2.create_security_group(GroupName=action.name, Description="-", VpcId=estate.vpc)
    start = len(world.calls)
    with pytest.raises(UnfitError, match="somebody else made it"):
        op.apply(action)
    assert op.written(start) == []


def test_an_interface_waits_for_a_group_that_is_not_there_yet(world, estate, host, op):
    action = arrange(world, estate)
    op.intend(action)
    eni = next(k for k in action.read(op.p) if k.startswith("groups/"))
    with pytest.raises(ProviderError) as caught:
        action.write(op.p, eni, [action.name])
    assert caught.value.passing


def test_an_interface_that_was_detached_is_named(world, estate, host, op):
    with pytest.raises(TargetGoneError, match="eni-0gone is not attached"):
        arrange(world, estate).write(op.p, "groups/eni-0gone", [estate.app_group])


@pytest.mark.parametrize("instance_id", ["i-0123456789abcdef0"])
def test_a_host_that_does_not_exist_is_gone(world, estate, op, instance_id):
    stranger = Instance(world.account, world.region, instance_id)
    with pytest.raises(TargetGoneError, match="does not exist"):
        op.apply(IsolateInstance(stranger))


def test_a_host_that_is_terminated_is_gone(world, estate, host, op, ec2):
    ec2.terminate_instances(InstanceIds=[host.instance_id])
    with pytest.raises(TargetGoneError, match=r"is (terminated|shutting-down)"):
        op.apply(arrange(world, estate))


def test_a_session_of_another_region_is_not_used(world, estate, host, op):
    elsewhere = Aws(world.account, "us-east-2", op.p.service)
    with pytest.raises(UnfitError, match="us-east-2"):
        arrange(world, estate).read(elsewhere)
