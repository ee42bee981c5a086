"""The host's sessions are denied wherever they are used, and nobody else's are."""

import json
import os
import time

import pytest
from botocore.exceptions import ClientError

from actions import engine
from actions.aws.deny_instance_sessions import AGENT, ROOM, DenyInstanceSessions
from actions.aws.instance import Instance
from actions.aws.replace_instance_profile import ReplaceInstanceProfile
from actions.errors import TargetGoneError, UnfitError
from tests.actions.aws.operating import host_of


def arrange(world, estate):
    return DenyInstanceSessions(host_of(world, estate))


def may_describe(world, instance_id) -> bool:
    """Whether the instance's own session, used from anywhere, still gets anything."""
    client = world.client("ec2", world.instance_credentials(instance_id))
    try:
        client.describe_instances()
    except ClientError as error:
        if error.response["Error"]["Code"] != "UnauthorizedOperation":
            raise
        return False
    return True


def policies(iam, role) -> dict[str, dict]:
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {n: iam.get_role_policy(RoleName=role, PolicyName=n)["PolicyDocument"] for n in names}


def test_the_host_is_denied_and_a_sibling_with_the_same_role_is_not(world, estate, host, op, iam):
    before = policies(iam, estate.role)
    assert may_describe(world, host.instance_id)
    action = arrange(world, estate)
    op.apply(action)
    assert not may_describe(world, host.instance_id)
    assert may_describe(world, estate.sibling)
    assert policies(iam, estate.role) == before | {action.policy_name: action.document}
    op.undo(action)
    assert may_describe(world, host.instance_id)
    assert policies(iam, estate.role) == before


def test_a_profile_with_a_path_is_found(world, estate, op):
    assert "/shop/front/" in estate.profile_arn
    assert list(arrange(world, estate).read(op.p)) == [f"policy/{estate.role}"]


def test_two_hosts_of_one_role_are_denied_and_given_back_apart(world, estate, host, op):
    first = arrange(world, estate)
    second = DenyInstanceSessions(Instance(world.account, world.region, estate.sibling))
    op.apply(first)
    op.apply(second)
    assert not may_describe(world, estate.sibling)
    op.undo(first)
    assert may_describe(world, host.instance_id)
    assert not may_describe(world, estate.sibling)
    op.undo(second)
    assert may_describe(world, estate.sibling)


def test_a_policy_of_that_name_that_was_there_comes_back(world, estate, host, op, iam):
    found = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*"}]}
    found["Statement"][0]["Resource"] = "*"
    iam.put_role_policy(RoleName=estate.role, PolicyName="ours", PolicyDocument=json.dumps(found))
    action = DenyInstanceSessions(host, name="ours")
    before = policies(iam, estate.role)
    op.apply(action)
    assert not may_describe(world, host.instance_id)
    op.undo(action)
    assert policies(iam, estate.role) == before


def test_no_time_and_no_zone_is_in_the_denial(world, estate, op):
    # A cut-off stamped with a local time spares live sessions, or hits new ones.
    texts = set()
    for zone in ("UTC", "Pacific/Auckland", "America/Los_Angeles"):
        old = os.environ.get("TZ")
        os.environ["TZ"] = zone
        time.tzset()
        texts.add(json.dumps(arrange(world, estate).document))
        del os.environ["TZ"]
        if old is not None:
            os.environ["TZ"] = old
        time.tzset()
    [text] = texts
    assert "TokenIssueTime" not in text
    assert "Date" not in text


def test_keep_ssm_leaves_the_agents_calls_and_no_operators(world, estate, host):
    [statement] = DenyInstanceSessions(host, keep_ssm=True).document["Statement"]
    assert "Action" not in statement
    assert statement["NotAction"] == list(AGENT)
    assert {a.partition(":")[0] for a in AGENT} == {"ssm", "ssmmessages", "ec2messages"}
    assert len(set(AGENT)) == len(AGENT)
    for name in AGENT:
        assert "*" not in name
        assert not name.startswith(("ssm:Send", "ssm:Start", "ssm:GetParameter", "ssm:Create"))


def test_keep_ssm_denies_everything_else(world, estate, host, op):
    op.apply(DenyInstanceSessions(host, keep_ssm=True))
    assert not may_describe(world, host.instance_id)


def fill(iam, role, free) -> None:
    """Fill the role with inline policies until `free` characters are left."""
    held = sum(len(json.dumps(d, separators=(",", ":"))) for d in policies(iam, role).values())
    statement = {"Effect": "Deny", "Action": "s3:*", "Resource": ""}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    bare = len(json.dumps(document, separators=(",", ":")))
    statement["Resource"] = "arn:aws:s3:::" + "x" * (ROOM - held - bare - free - 13)
    iam.put_role_policy(
        RoleName=role, PolicyName="filler", PolicyDocument=json.dumps(document, indent=2)
    )


def test_a_role_without_room_is_refused_beforehand_with_what_else_would_do(
    world, estate, host, op, iam
):
    action = arrange(world, estate)
    need = len(json.dumps(action.document, separators=(",", ":")))
    fill(iam, estate.role, need - 1)
    start = len(world.calls)
    with pytest.raises(UnfitError) as caught:
        op.apply(action)
    assert f"{need - 1} of {ROOM}" in str(caught.value)
    assert "replace_instance_profile" in str(caught.value)
    assert op.written(start) == []


def test_a_role_with_just_enough_room_takes_it(world, estate, host, op, iam):
    action = arrange(world, estate)
    fill(iam, estate.role, len(json.dumps(action.document, separators=(",", ":"))))
    assert op.apply(action).verdict == "verified"
    assert not may_describe(world, host.instance_id)


def test_a_host_without_a_profile_has_nothing_to_deny(world, estate, op, ec2):
    bare = ec2.run_instances(ImageId=estate.image, MinCount=1, MaxCount=1, SubnetId=estate.subnet)[
        "Instances"
    ][0]["InstanceId"]
    with pytest.raises(UnfitError, match="no instance profile"):
        op.apply(DenyInstanceSessions(Instance(world.account, world.region, bare)))


def test_the_denial_can_be_taken_back_after_the_profile_went(world, estate, host, op, iam):
    action = arrange(world, estate)
    op.apply(action)
    op.apply(ReplaceInstanceProfile(host))
    op.undo(action)
    assert action.policy_name not in policies(iam, estate.role)


def test_a_named_role_needs_no_host_any_more(world, estate, host, op, ec2, iam):
    action = DenyInstanceSessions(host, role=estate.role)
    ec2.terminate_instances(InstanceIds=[host.instance_id])
    op.apply(action)
    assert action.policy_name in policies(iam, estate.role)
    op.undo(action)
    assert action.policy_name not in policies(iam, estate.role)


def test_a_role_that_does_not_exist_is_named(world, estate, host, op):
    with pytest.raises(TargetGoneError, match="role gone does not exist"):
        op.apply(DenyInstanceSessions(host, role="gone"))


def test_siblings_are_named_beforehand(world, estate, host, op):
    [blast] = engine.plan(arrange(world, estate), op.p).blast
    assert f"every session of {host.instance_id} is denied" in blast
    assert f"{estate.sibling} with the same profile keep working" in blast


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
    ],
)
def test_the_arn_is_of_the_regions_partition(region, partition):
    action = DenyInstanceSessions(Instance("111122223333", region, "i-0a"))
    condition = action.document["Statement"][0]["Condition"]
    assert condition == {
        "ArnEquals": {
            "ec2:SourceInstanceARN": f"arn:{partition}:ec2:{region}:111122223333:instance/i-0a"
        }
    }
