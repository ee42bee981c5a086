"""The scenario is what the drill says it is, and the digest sees what containment changes."""

import base64

import pytest

from playbooks.drills.range.estate import build_estate
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World


@pytest.fixture(scope="module")
def built():
    world = World(seed=5)
    return world, build_estate(world)


@pytest.fixture
def world(built):
    return built[0]


@pytest.fixture
def estate(built):
    return built[1]


def responder(world, estate) -> Credentials:
    keys = world.client("sts", estate.responder).assume_role(
        RoleArn=estate.responder_role, RoleSessionName="inc-1", ExternalId=estate.external_id
    )["Credentials"]
    return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def test_the_target_is_as_the_scenario_says(world, estate):
    ec2 = world.client("ec2", world.admin)
    host = ec2.describe_instances(InstanceIds=[estate.target])["Reservations"][0]["Instances"][0]
    nics = sorted(host["NetworkInterfaces"], key=lambda n: n["Attachment"]["DeviceIndex"])
    assert tuple(n["NetworkInterfaceId"] for n in nics) == estate.interfaces
    assert [len(n["Ipv6Addresses"]) for n in nics] == [0, 1]
    groups = [[g["GroupId"] for g in n["Groups"]] for n in nics]
    assert groups == [[estate.app_group], [estate.data_group, estate.app_group]]
    assert tuple(d["Ebs"]["VolumeId"] for d in host["BlockDeviceMappings"]) == estate.volumes
    assert len(estate.volumes) == 2
    user_data = ec2.describe_instance_attribute(InstanceId=estate.target, Attribute="userData")
    assert estate.canary in base64.b64decode(user_data["UserData"]["Value"]).decode()
    for group in (estate.app_group, estate.data_group, estate.balancer_group):
        [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        [everything] = found["IpPermissionsEgress"]
        assert everything["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
        assert everything["Ipv6Ranges"] == [{"CidrIpv6": "::/0"}]


def test_both_hosts_serve_behind_the_load_balancer(world, estate):
    elb = world.client("elbv2", world.admin)
    health = elb.describe_target_health(TargetGroupArn=estate.target_group)
    states = {
        d["Target"]["Id"]: d["TargetHealth"]["State"] for d in health["TargetHealthDescriptions"]
    }
    assert states == {estate.target: "healthy", estate.sibling: "healthy"}
    scaling = world.client("autoscaling", world.admin)
    [group] = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]) == (1, 2, 3)


def test_target_and_sibling_hold_their_own_sessions_of_one_role(world, estate):
    keys = {i: world.instance_credentials(i) for i in (estate.target, estate.sibling)}
    assert keys[estate.target] != keys[estate.sibling]
    for instance, held in keys.items():
        arn = world.client("sts", held).get_caller_identity()["Arn"]
        assert arn.endswith(f"assumed-role/{estate.role}/{instance}")
        s3 = world.client("s3", held)
        assert s3.list_buckets()["Buckets"][0]["Name"] == estate.bucket
        assert s3.get_object(Bucket=estate.bucket, Key=estate.object_key)["Body"].read()
        assert world.client("iam", held).list_roles()["Roles"]


def test_the_responder_comes_in_with_the_external_id_only(world, estate, refused):
    assert world.client("ec2", responder(world, estate)).describe_instances()["Reservations"]
    sts = world.client("sts", estate.responder)
    role = {"RoleArn": estate.responder_role, "RoleSessionName": "inc-1"}
    assert refused(sts.assume_role, **role) == "AccessDenied"
    assert refused(sts.assume_role, **role, ExternalId="guessed") == "AccessDenied"
    attacker = world.client("sts", world.instance_credentials(estate.target))
    assert refused(attacker.assume_role, **role, ExternalId=estate.external_id) == "AccessDenied"


def test_reading_never_changes_the_digest(world, estate):
    before = world.digest()
    ec2 = world.client("ec2", world.admin)
    for read in (
        ec2.describe_instances,
        ec2.describe_network_interfaces,
        ec2.describe_security_groups,
        ec2.describe_security_group_rules,
        ec2.describe_snapshots,
        ec2.describe_volumes,
        ec2.describe_tags,
        ec2.describe_route_tables,
        world.client("iam", world.admin).get_account_authorization_details,
        world.client("autoscaling", world.admin).describe_auto_scaling_instances,
        world.client("sts", world.admin).get_caller_identity,
    ):
        read()
    ec2.get_console_output(InstanceId=estate.target)
    world.client("elbv2", world.admin).describe_target_health(TargetGroupArn=estate.target_group)
    world.instance_credentials(estate.target)
    assert world.digest() == before


CHANGES = {
    "groups": ("ec2", lambda c, e: c.modify_network_interface_attribute(
        NetworkInterfaceId=e.interfaces[1], Groups=[e.app_group, e.data_group])),
    "tracking": ("ec2", lambda c, e: c.modify_network_interface_attribute(
        NetworkInterfaceId=e.interfaces[0],
        ConnectionTrackingSpecification={"TcpEstablishedTimeout": 60})),
    "protection": ("ec2", lambda c, e: c.modify_instance_attribute(
        InstanceId=e.target, DisableApiTermination={"Value": True})),
    "disk": ("ec2", lambda c, e: c.modify_instance_attribute(
        InstanceId=e.target, BlockDeviceMappings=[
            {"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": False}}])),
    "tag": ("ec2", lambda c, e: c.create_tags(
        Resources=[e.target], Tags=[{"Key": "incident", "Value": "1"}])),
    "rule": ("ec2", lambda c, e: c.revoke_security_group_ingress(
        GroupId=e.app_group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8")),
    "snapshot": ("ec2", lambda c, e: c.create_snapshots(
        InstanceSpecification={"InstanceId": e.target})),
    "role policy": ("iam", lambda c, e: c.put_role_policy(
        RoleName=e.role, PolicyName="x", PolicyDocument='{"Version":"2012-10-17","Statement":'
        '[{"Effect":"Deny","Action":"*","Resource":"*"}]}')),
    "suspend": ("autoscaling", lambda c, e: c.suspend_processes(
        AutoScalingGroupName=e.scaling_group, ScalingProcesses=["Launch"])),
    "targets": ("elbv2", lambda c, e: c.deregister_targets(
        TargetGroupArn=e.target_group, Targets=[{"Id": e.target}])),
    "standby": ("autoscaling", lambda c, e: c.enter_standby(
        AutoScalingGroupName=e.scaling_group, InstanceIds=[e.sibling],
        ShouldDecrementDesiredCapacity=True)),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_every_kind_of_write_changes_the_digest(world, estate, change):
    service, write = CHANGES[change]
    before = world.digest()
    write(world.client(service, responder(world, estate)), estate)
    assert world.digest() != before


def test_a_seed_gives_the_same_estate_and_digest_again():
    def built():
        world = World(seed=9, clock=lambda: 1_790_000_000.0)
        return build_estate(world), world.digest()

    assert built() == built()
