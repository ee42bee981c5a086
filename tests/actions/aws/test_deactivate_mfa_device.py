"""A device that the attacker added goes, one that the user had before never does."""

from datetime import timedelta

import pytest

from actions import one_way
from actions.aws.deactivate_mfa_device import DeactivateMfaDevice
from actions.errors import ApprovalMissingError, NothingToDoError, TargetGoneError, UnfitError
from tests.actions.aws.people import user


def arrange(world, estate):
    who = user(world)
    first_sign = stamp(world, -60)
    return DeactivateMfaDevice(who, enable(world, who, "phone"), first_sign)


def stamp(world, seconds) -> str:
    return (world.now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def enable(world, who, name) -> str:
    iam = world.client("iam", world.admin)
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"][
        "SerialNumber"
    ]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName=who.name, SerialNumber=serial, **codes)
    return serial


def serials(iam, who) -> list[str]:
    return [d["SerialNumber"] for d in iam.list_mfa_devices(UserName=who.name)["MFADevices"]]


def test_it_goes_once_somebody_said_yes_and_the_others_stay(world, op, iam):
    action = arrange(world, None)
    own = enable(world, action.principal, "own")
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    plan = one_way.foresee(action, op.p)
    assert action.serial in plan.lost[0]
    applied = op.apply(action, approval="yes")
    assert applied.after == {"deactivated": action.serial}
    assert serials(iam, action.principal) == [own]


def test_one_of_before_the_first_sign_is_refused(world, op, iam):
    who = user(world)
    own = enable(world, who, "own")
    world.tick(3600)
    start = len(world.calls)
    with pytest.raises(UnfitError, match="the user's own and stays"):
        op.apply(DeactivateMfaDevice(who, own, stamp(world, -60)), approval="yes")
    assert op.written(start) == []
    assert serials(iam, who) == [own]


def test_one_that_is_gone_already_is_adopted(world, op, iam):
    action = arrange(world, None)
    with pytest.raises(ApprovalMissingError):
        op.apply(action)
    iam.deactivate_mfa_device(UserName="alice", SerialNumber=action.serial)
    start = len(world.calls)
    op.apply(action, approval="yes")
    assert op.written(start) == []
    action.do(op.p, "mark", "yes")  # a read that was behind had it still


def test_one_that_never_was_is_not_deactivated(world, op):
    who = user(world)
    with pytest.raises(NothingToDoError, match="has no MFA device"):
        op.apply(DeactivateMfaDevice(who, "arn:x", stamp(world, 0)), approval="yes")
    gone = DeactivateMfaDevice(type(who)(world.account, "user", "gone"), "arn:x", stamp(world, 0))
    with pytest.raises(TargetGoneError):
        op.apply(gone, approval="yes")
