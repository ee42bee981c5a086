"""Termination needs a yes, lifts protection, happens once, and says when it cannot tell."""

import pytest

from actions import one_way
from actions.aws.instance import Instance
from actions.aws.protect_from_termination import ProtectFromTermination
from actions.aws.terminate_instance import TerminateInstance
from actions.errors import ApprovalMissingError, TargetGoneError, UnknowableError
from actions.one_way import Unknowable
from tests.actions.aws.operating import host_of


def arrange(world, estate):
    return TerminateInstance(host_of(world, estate))


def state(ec2, host) -> str:
    [found] = ec2.describe_instances(InstanceIds=[host.instance_id])["Reservations"]
    return found["Instances"][0]["State"]["Name"]


def test_without_approval_nothing_happens(world, estate, host, op, ec2):
    start = len(world.calls)
    with pytest.raises(ApprovalMissingError):
        op.apply(arrange(world, estate))
    assert op.written(start) == []
    assert state(ec2, host) == "running"


def test_protection_that_was_set_is_lifted_and_said_beforehand(world, estate, host, op, ec2):
    op.apply(ProtectFromTermination(host))
    action = arrange(world, estate)
    plan = one_way.foresee(action, op.p)
    assert plan.blast == (
        "termination protection is on and will be lifted",
        "stop protection is on and will be lifted",
    )
    applied = op.apply(action, approval="yes-1")
    assert applied.after["state"] in ("shutting-down", "terminated")
    assert state(ec2, host) in ("shutting-down", "terminated")


def test_volumes_that_go_with_the_host_are_named_beforehand(world, estate, op, ec2):
    action = arrange(world, estate)
    deleted = one_way.foresee(action, op.p).before["deleted"]
    [found] = ec2.describe_instances(InstanceIds=[estate.target])["Reservations"]
    assert deleted == [
        d["Ebs"]["VolumeId"]
        for d in found["Instances"][0]["BlockDeviceMappings"]
        if d["Ebs"]["DeleteOnTermination"]
    ]
    assert deleted
    assert any(deleted[0] in line for line in one_way.foresee(action, op.p).lost)


def test_a_host_that_ended_already_is_adopted_and_not_ended_again(world, estate, host, op, ec2):
    action = arrange(world, estate)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    ec2.terminate_instances(InstanceIds=[host.instance_id])
    start = len(world.calls)
    assert op.apply(action, approval="yes-1").verdict == "verified"
    assert op.written(start) == []


def test_a_host_that_aws_forgot_cannot_be_told_about(world, estate, op):
    gone = TerminateInstance(Instance(world.account, world.region, "i-0123456789abcdef0"))
    found = gone.find(op.p, "m")
    assert isinstance(found, Unknowable)
    assert "does not exist" in found.reason
    with pytest.raises(TargetGoneError):
        op.apply(gone, approval="yes-1")


def test_what_cannot_be_told_is_never_repeated(world, estate, host, op, monkeypatch):
    action = arrange(world, estate)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    # AWS forgets a host about an hour after its end: from here on it knows no such instance.
    backend = world.ground.ec2(world.account, world.region)
    reservations = dict(backend.reservations)
    backend.reservations.clear()
    start = len(world.calls)
    with pytest.raises(UnknowableError):
        op.apply(action, approval="yes-1")
    assert op.written(start) == []
    backend.reservations.update(reservations)
