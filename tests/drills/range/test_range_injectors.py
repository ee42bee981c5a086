"""Every fault does to a call what it says, once, and only to the call it was ordered for."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config

from playbooks.drills.range.control import controlled
from playbooks.drills.range.errors import RangeError
from playbooks.drills.range.injectors import (
    CallBack,
    Delay,
    FailedCall,
    HalfApplied,
    IgnoredWrite,
    LateWrite,
    RevertedWrite,
    StaleRead,
    Throttle,
    kill,
)
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.server import serve


@pytest.fixture
def ec2(world):
    # One attempt: a fault must not be hidden by a retry.
    config = Config(retries={"total_max_attempts": 1})
    return world.session(world.admin).client("ec2", config=config)


@pytest.fixture
def groups(ec2):
    return [
        ec2.create_security_group(GroupName=n, Description="-")["GroupId"] for n in ("a", "b", "c")
    ]


@pytest.fixture
def nic(ec2, groups):
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet, Groups=[groups[0]])
    return made["NetworkInterface"]["NetworkInterfaceId"]


def on(ec2, nic) -> list[str]:
    [found] = ec2.describe_network_interfaces(NetworkInterfaceIds=[nic])["NetworkInterfaces"]
    return [g["GroupId"] for g in found["Groups"]]


def put(ec2, nic, *groups) -> None:
    ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, Groups=list(groups))


MODIFY = "ModifyNetworkInterfaceAttribute"


def test_throttle_meets_the_nth_calls_only(world, ec2, nic, groups, refused):
    world.inject(Throttle(), MODIFY, nth=2, times=2)
    put(ec2, nic, groups[1])
    for _ in range(2):
        code = refused(
            ec2.modify_network_interface_attribute, NetworkInterfaceId=nic, Groups=[groups[2]]
        )
        assert code == "RequestLimitExceeded"
    assert on(ec2, nic) == [groups[1]]
    put(ec2, nic, groups[2])
    assert on(ec2, nic) == [groups[2]]


@pytest.mark.parametrize(("applied", "status"), [(False, 403), (False, 500), (True, 500)])
def test_a_failed_call_may_have_taken_effect(world, ec2, nic, groups, refused, applied, status):
    world.inject(FailedCall("Broken", status, applied), MODIFY)
    code = refused(
        ec2.modify_network_interface_attribute, NetworkInterfaceId=nic, Groups=[groups[1]]
    )
    assert code == "Broken"
    assert on(ec2, nic) == [groups[1] if applied else groups[0]]


def test_a_stale_read_shows_the_state_before_the_write_for_a_while(world, ec2, nic, groups):
    world.inject(StaleRead(reads=2), MODIFY)
    put(ec2, nic, groups[1])
    assert [on(ec2, nic) for _ in range(4)] == [[groups[0]]] * 2 + [[groups[1]]] * 2


def test_a_stale_read_can_be_of_one_operation(world, ec2, nic, groups):
    world.inject(StaleRead(reads=1, of="DescribeNetworkInterfaces"), MODIFY)
    put(ec2, nic, groups[1])
    ec2.describe_instances()
    assert on(ec2, nic) == [groups[0]]
    assert on(ec2, nic) == [groups[1]]


def test_a_write_is_not_lost_behind_stale_reads(world, ec2, nic, groups):
    world.inject(StaleRead(reads=5), MODIFY)
    put(ec2, nic, groups[1])
    assert on(ec2, nic) == [groups[0]]
    put(ec2, nic, groups[2])
    for _ in range(4):
        assert on(ec2, nic) == [groups[0]]
    assert on(ec2, nic) == [groups[2]]


def test_an_ignored_write_says_yes_and_changes_nothing(world, ec2, nic, groups):
    before = world.digest()
    world.inject(IgnoredWrite(), MODIFY)
    put(ec2, nic, groups[1])
    assert world.digest() == before
    assert on(ec2, nic) == [groups[0]]


def test_a_half_applied_write_cuts_lists_or_does_what_it_is_told(world, ec2, nic, groups):
    world.inject(HalfApplied(), MODIFY)
    put(ec2, nic, groups[1], groups[2])
    assert on(ec2, nic) == [groups[1]]
    world.inject(HalfApplied(), MODIFY)
    put(ec2, nic, groups[0])
    assert on(ec2, nic) == [groups[1]]
    world.inject(HalfApplied(lambda p: {**p, "Groups": [*p["Groups"], groups[1]]}), MODIFY)
    put(ec2, nic, groups[0])
    assert on(ec2, nic) == [groups[0], groups[1]]


def test_a_late_write_takes_effect_after_some_calls(world, ec2, nic, groups):
    world.inject(LateWrite(calls=2), MODIFY)
    put(ec2, nic, groups[1])
    assert [on(ec2, nic) for _ in range(3)] == [[groups[0]]] * 2 + [[groups[1]]]


def test_a_late_write_takes_effect_after_some_time(world, ec2, nic, groups):
    world.inject(LateWrite(calls=100, seconds=60), MODIFY)
    put(ec2, nic, groups[1])
    assert on(ec2, nic) == [groups[0]]
    world.tick(61)
    assert on(ec2, nic) == [groups[1]]


def test_a_reverted_write_is_seen_and_then_gone(world, ec2, nic, groups):
    world.inject(RevertedWrite(reads=2), MODIFY)
    put(ec2, nic, groups[1])
    assert [on(ec2, nic) for _ in range(4)] == [[groups[1]]] * 2 + [[groups[0]]] * 2


def test_a_revert_takes_nothing_else_with_it(world, ec2, nic, groups):
    world.inject(RevertedWrite(reads=9), MODIFY)
    put(ec2, nic, groups[1])
    ec2.create_tags(Resources=[nic], Tags=[{"Key": "k", "Value": "v"}])
    assert on(ec2, nic) == [groups[0]]
    assert [t["Key"] for t in ec2.describe_tags()["Tags"] if t["ResourceId"] == nic] == ["k"]


def test_a_call_back_comes_before_or_after_the_effect(world, ec2, nic, groups):
    before = world.digest()
    seen = []
    for after in (False, True):
        world.inject(CallBack(lambda: seen.append(world.digest() == before), after), "*")
        put(ec2, nic, groups[1])
    assert seen == [True, False]


def test_delay_waits_before_the_answer(world, ec2, nic, groups):
    waits = []
    world.inject(Delay(1.5, waits.append), MODIFY)
    put(ec2, nic, groups[1])
    assert (waits, on(ec2, nic)) == ([1.5], [groups[1]])


def test_a_denied_request_meets_no_write_fault(world, iam, ec2, nic, groups, refused):
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    held = world.client("ec2", Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
    world.inject(IgnoredWrite(), MODIFY)
    code = refused(
        held.modify_network_interface_attribute, NetworkInterfaceId=nic, Groups=[groups[1]]
    )
    assert code == "UnauthorizedOperation"


def test_kill_sends_the_signal_at_the_call(world, ec2, nic, groups):
    got = []
    before = signal.signal(signal.SIGUSR1, lambda *_: got.append(world.calls[-1].operation))
    try:
        world.inject(kill(os.getpid(), signal.SIGUSR1), MODIFY)
        ec2.describe_vpcs()
        put(ec2, nic, groups[1])
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert got == ["DescribeVpcs"]


def order(endpoint, what, body, token):
    request = urllib.request.Request(
        f"{endpoint}/_range/{what}", json.dumps(body).encode(), {"X-Range-Token": token}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def status(endpoint, what, body, token) -> int:
    try:
        order(endpoint, what, body, token)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
    return 200


def test_control_over_http_needs_the_token_it_was_started_with(world):
    with serve(world) as endpoint:
        assert status(endpoint, "digest", {}, "") == 403
    with serve(world, control_token="right") as endpoint:
        assert status(endpoint, "digest", {}, "wrong") == 403
        assert order(endpoint, "digest", {}, "right") == {"digest": world.digest()}
        before = world.now()
        order(endpoint, "tick", {"seconds": 3600}, "right")
        assert (world.now() - before).total_seconds() >= 3600
        throttle = {"fault": "Throttle", "operation": "DescribeVpcs"}
        assert status(endpoint, "inject", throttle, "right") == 200
        assert status(endpoint, "inject", {"fault": "Nonsense", "operation": "*"}, "right") == 400
        assert status(endpoint, "nonsense", {}, "right") == 404
    with pytest.raises(RangeError, match="must not be empty"):
        controlled(world, "")


def test_the_range_runs_as_a_process_and_ends_on_a_signal(tmp_path):
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "playbooks.drills.range", "--estate", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        told = json.loads(child.stdout.readline())
        assert json.loads(state.read_text()) == told
        assert state.stat().st_mode & 0o077 == 0
        target = told["estate"]["target"]
        held = order(told["endpoint"], "credentials", {"instance": target}, told["control_token"])
        attacker = boto3.client(
            "sts",
            endpoint_url=told["endpoint"],
            region_name=told["region"],
            aws_access_key_id=held["access_key"],
            aws_secret_access_key=held["secret_key"],
            aws_session_token=held["token"],
        )
        assert attacker.get_caller_identity()["Arn"].endswith(target)
        attacker.close()
        [call] = order(told["endpoint"], "calls", {}, told["control_token"])["calls"][-1:]
        assert (call["operation"], call["status"]) == ("GetCallerIdentity", 200)
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0
