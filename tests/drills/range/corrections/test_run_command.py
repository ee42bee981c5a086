"""Run Command as the range has it (AWS: SendCommand, ListCommands, GetCommandInvocation)."""

import json
import time

import pytest

from actions.aws import collection_document as pinned
from playbooks.drills.range.agent import Agent, may_speak
from playbooks.drills.range.estate_agent import make_collectable

PARAMETERS = {
    # Nobody listens there: the script runs to its end, and its upload fails.
    "Upload": ["http://127.0.0.1:9/bucket/key?X-Amz-Signature=canary"],
    "Owner": ["111122223333"],
    "ScriptSha256": [pinned.script_sha256()],
}


@pytest.fixture
def ssm(world, estate):
    make_collectable(world, (estate.target,), "collected", pinned.text(), pinned.NAME)
    return world.client("ssm", world.admin)


@pytest.fixture
def send(ssm, estate):
    def command(host=estate.target, document=pinned.NAME, **changed) -> str:
        told = {**PARAMETERS, **changed}
        asked = {"InstanceIds": [host], "DocumentName": document, "TimeoutSeconds": 30}
        return ssm.send_command(**asked, Parameters=told, Comment="c")["Command"]["CommandId"]

    return command


def invocation(ssm, estate, command):
    return ssm.get_command_invocation(CommandId=command, InstanceId=estate.target)


def ended(ssm, estate, command):
    """Wait for the agent, which runs in real time."""
    end = time.monotonic() + 30
    while (found := invocation(ssm, estate, command))["Status"] in ("Pending", "InProgress"):
        assert time.monotonic() < end, "the agent did not report"
        time.sleep(0.05)
    return found


def deny(world, estate):
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    world.client("iam", world.admin).put_role_policy(
        RoleName=estate.role,
        PolicyName="deny",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def cut(world, estate, ec2):
    empty = ec2.create_security_group(GroupName="none", Description="none", VpcId=estate.vpc)
    group = ec2.describe_security_groups(GroupIds=[empty["GroupId"]])["SecurityGroups"][0]
    ec2.revoke_security_group_egress(
        GroupId=empty["GroupId"], IpPermissions=group["IpPermissionsEgress"]
    )
    for interface in estate.interfaces:
        ec2.modify_network_interface_attribute(
            NetworkInterfaceId=interface, Groups=[empty["GroupId"]]
        )


def test_only_hosts_with_an_agent_are_known(ssm, estate):
    found = ssm.describe_instance_information()["InstanceInformationList"]
    told = [(one["InstanceId"], one["PingStatus"], one["PlatformType"]) for one in found]
    assert told == [(estate.target, "Online", "Linux")]
    other = [{"Key": "InstanceIds", "Values": [estate.sibling]}]
    assert not ssm.describe_instance_information(Filters=other)["InstanceInformationList"]


def test_what_cannot_be_sent_is_refused(send, estate, refused):
    assert refused(send, host=estate.sibling) == "InvalidInstanceId"
    assert refused(send, document="Another") == "InvalidDocument"
    assert refused(send, ScriptSha256=["'; rm -rf /"]) == "InvalidParameters"
    assert refused(send, Owner=[]) == "InvalidParameters"


def test_it_runs_and_tells_how_it_ended(ssm, send, estate):
    found = ended(ssm, estate, send())
    # curl's status for a connection that was refused.
    assert (found["Status"], found["ResponseCode"]) == ("Failed", 7)
    assert f"stanch: script_sha256={pinned.script_sha256()}" in found["StandardOutputContent"]
    assert "stanch: upload=000" in found["StandardOutputContent"]


def test_commands_are_listed_newest_first_with_their_parameters(ssm, send, estate):
    one, two = send(), send()
    found = ssm.list_commands(InstanceId=estate.target)["Commands"]
    assert [c["CommandId"] for c in found] == [two, one]
    # AWS tells them again to whoever may list: that is what the documentation warns of.
    assert found[0]["Parameters"] == PARAMETERS


@pytest.mark.parametrize("how", ["denied", "isolated"])
def test_an_agent_that_may_not_speak_takes_nothing(world, ssm, ec2, send, estate, how):
    assert may_speak(world.ground, estate.target)
    if how == "denied":
        deny(world, estate)
    else:
        cut(world, estate, ec2)
    assert not may_speak(world.ground, estate.target)
    command = send()
    time.sleep(0.2)
    assert invocation(ssm, estate, command)["Status"] == "Pending"
    world.tick(31)
    assert invocation(ssm, estate, command)["Status"] == "TimedOut"


def test_an_agent_denied_meanwhile_reports_nothing(world, ssm, send, estate):
    slow = {"ps": "#!/bin/sh\nsleep 2\n", "sleep": "#!/bin/sh\nexec /bin/sleep 2\n"}
    world.ground.kept.agents[estate.target] = Agent(tools=slow)
    command = send()
    deny(world, estate)
    time.sleep(3)
    told = invocation(ssm, estate, command)
    assert told["Status"] in ("Pending", "InProgress")
    assert not told["StandardOutputContent"]


def test_what_was_sent_is_part_of_the_world(world, send, estate):
    before = world.digest()
    send()
    assert world.digest() != before


def test_the_trail_does_not_tell_a_command_s_parameters(world, send, estate):
    send()
    world.tick(world.ground.trail_lag_seconds + 1)
    trail = world.client("cloudtrail", world.admin)
    found = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "SendCommand"}]
    )["Events"]
    [told] = [json.loads(one["CloudTrailEvent"]) for one in found]
    assert told["requestParameters"]["parameters"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert "canary" not in json.dumps(told)
