"""The world answers real boto3, in-process and over HTTP, only to keys it knows."""

import os

import boto3
import pytest

from playbooks.drills.range.errors import StaleWorldError, UnknownThingError
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World


def names(client) -> set[str]:
    return {g["GroupName"] for g in client.describe_security_groups()["SecurityGroups"]}


def test_both_transports_reach_the_same_world(world, ec2):
    with serve(world) as endpoint:
        assert endpoint.startswith("http://127.0.0.1:")
        http = boto3.client(
            "ec2",
            endpoint_url=endpoint,
            region_name=world.region,
            aws_access_key_id=world.admin.access_key,
            aws_secret_access_key=world.admin.secret_key,
        )
        ec2.create_security_group(GroupName="in-process", Description="-")
        http.create_security_group(GroupName="over-http", Description="-")
        assert names(http) == names(ec2) >= {"in-process", "over-http"}
        http.close()


@pytest.mark.parametrize(
    ("service", "read", "code"),
    [
        ("ec2", "describe_vpcs", "AuthFailure"),
        ("iam", "list_users", "InvalidClientTokenId"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_an_unknown_key_is_refused_as_each_service_refuses_it(world, refused, service, read, code):
    stranger = world.client(service, Credentials("AKIANOBODYKNOWSTHISX", "secret"))
    assert refused(getattr(stranger, read)) == code


def test_the_secret_matters_and_so_does_the_token(world, ec2, iam, refused):
    wrong = Credentials(world.admin.access_key, "not the secret")
    assert refused(world.client("ec2", wrong).describe_vpcs) == "SignatureDoesNotMatch"
    profile(iam)
    instance = launch(ec2)
    keys = world.instance_credentials(instance)
    assert world.client("ec2", keys).describe_vpcs()["Vpcs"]
    without = Credentials(keys.access_key, keys.secret_key, "another token")
    assert refused(world.client("ec2", without).describe_vpcs) == "AuthFailure"


def test_an_inactive_key_stops_working_and_works_again_when_active(world, iam, refused):
    iam.create_user(UserName="ann")
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    key = {"UserName": "ann", "AccessKeyId": ann.access_key}
    assert world.client("sts", ann).get_caller_identity()["Arn"].endswith(":user/ann")
    iam.update_access_key(**key, Status="Inactive")
    assert refused(world.client("sts", ann).get_caller_identity) == "InvalidClientTokenId"
    iam.update_access_key(**key, Status="Active")
    assert world.client("sts", ann).get_caller_identity()["Arn"].endswith(":user/ann")


def test_session_keys_end_with_their_time(world, ec2, iam, refused):
    profile(iam)
    instance = launch(ec2)
    keys = world.instance_credentials(instance)
    assert world.instance_credentials(instance) == keys
    world.tick(6 * 3600 + 1)
    assert refused(world.client("ec2", keys).describe_vpcs) == "ExpiredToken"
    assert world.instance_credentials(instance) != keys


def test_renewed_keys_are_another_session_beside_the_earlier_one(world, ec2, iam):
    profile(iam)
    instance = launch(ec2)
    earlier = world.instance_credentials(instance)
    world.tick(60)
    later = world.instance_credentials(instance, renewed=True)
    assert later != earlier
    assert world.instance_credentials(instance) == later
    who = {world.client("sts", k).get_caller_identity()["Arn"] for k in (earlier, later)}
    assert len(who) == 1
    issued = world.ground.issued
    spread = [issued[k.access_key].principal.issued_at for k in (earlier, later)]
    assert (spread[1] - spread[0]).total_seconds() >= 60


def test_only_running_instances_with_a_role_have_credentials(world, ec2):
    with pytest.raises(UnknownThingError, match="not a running instance"):
        world.instance_credentials("i-0123456789abcdef0")
    bare = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    with pytest.raises(UnknownThingError, match="no instance profile"):
        world.instance_credentials(bare["Instances"][0]["InstanceId"])


def test_dry_run_says_yes_or_no_and_changes_nothing(world, ec2, iam, refused):
    profile(iam)
    instance = launch(ec2)
    assert (
        refused(ec2.terminate_instances, InstanceIds=[instance], DryRun=True) == "DryRunOperation"
    )
    held = world.client("ec2", world.instance_credentials(instance))
    denied = refused(held.terminate_instances, InstanceIds=[instance], DryRun=True)
    assert denied == "UnauthorizedOperation"
    assert ec2.describe_instances()["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"


def test_every_call_is_logged_with_who_and_how_it_ended(world, ec2, refused):
    ec2.describe_vpcs()
    refused(ec2.terminate_instances, InstanceIds=["i-0123456789abcdef0"])
    read, write = world.calls[-2:]
    assert (read.operation, read.mutating, read.status, read.error) == (
        "DescribeVpcs",
        False,
        200,
        "",
    )
    assert (write.operation, write.mutating) == ("TerminateInstances", True)
    assert write.error == "InvalidInstanceID.NotFound"
    assert write.params == {"InstanceIds": ["i-0123456789abcdef0"]}
    assert write.principal.arn == "arn:aws:iam::111122223333:root"


def test_the_date_header_follows_the_worlds_clock():
    world = World(clock=lambda: 0.0)
    world.tick(86400)
    answer = world.client("sts", world.admin).get_caller_identity()
    assert answer["ResponseMetadata"]["HTTPHeaders"]["date"] == "Fri, 02 Jan 1970 00:00:00 GMT"


def test_a_forked_child_owns_a_copy_of_the_world(world, ec2):
    inside, outside = os.pipe()
    child = os.fork()
    if child == 0:
        ec2.create_security_group(GroupName="only-in-the-child", Description="-")
        os.write(outside, b"1" if "only-in-the-child" in names(ec2) else b"0")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(inside, 1) == b"1"
    assert "only-in-the-child" not in names(ec2)


def test_ids_repeat_for_a_seed_and_reads_do_not_move_them():
    def first(reads: int) -> str:
        world = World(seed=3)
        ec2 = world.client("ec2", world.admin)
        for _ in range(reads):
            ec2.describe_instances()
        return ec2.create_security_group(GroupName="g", Description="-")["GroupId"]

    assert first(0) == first(5)


def test_an_older_world_says_that_it_is_stale(ec2):
    World()
    with pytest.raises(StaleWorldError, match="newer World"):
        ec2.describe_vpcs()


def profile(iam) -> None:
    iam.create_role(RoleName="app", AssumeRolePolicyDocument="{}")
    policy = (
        '{"Version":"2012-10-17","Statement":'
        '[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}'
    )
    iam.put_role_policy(RoleName="app", PolicyName="read", PolicyDocument=policy)
    iam.create_instance_profile(InstanceProfileName="app")
    iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="app")


def launch(ec2) -> str:
    made = ec2.run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "app"}
    )
    return made["Instances"][0]["InstanceId"]
