"""All that can be undone, done to one host in the order of a play and undone in reverse."""

import pytest

from actions.aws.convert_tracked_connections import ConvertTrackedConnections
from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.enter_standby import EnterStandby
from actions.aws.isolate_instance import IsolateInstance
from actions.aws.leave_target_groups import LeaveTargetGroups
from actions.aws.protect_from_termination import ProtectFromTermination
from actions.aws.replace_instance_profile import ReplaceInstanceProfile
from actions.aws.shorten_connection_tracking import ShortenConnectionTracking
from actions.aws.tag_incident import TagIncident
from playbooks.drills.range.estate import build_estate
from tests.actions.aws import site
from tests.actions.aws.operating import host_of


def in_order(host):
    return [
        TagIncident(host, "INC-2026-0001"),
        ProtectFromTermination(host),
        EnterStandby(host),
        LeaveTargetGroups(host),
        DenyInstanceSessions(host),
        ShortenConnectionTracking(host),
        IsolateInstance(host),
        ConvertTrackedConnections(host),
        ReplaceInstanceProfile(host),
    ]


def differing(action, one, other) -> dict:
    return {k: (v, other.get(k)) for k, v in one.items() if not action.same(k, v, other.get(k))}


@pytest.mark.parametrize("build", [site.build, build_estate], ids=["site", "drill's estate"])
def test_everything_that_was_found_is_there_again(world, op, build):
    host = host_of(world, build(world))
    steps = in_order(host)
    before = [a.read(op.p) for a in steps]
    for action in steps:
        assert op.apply(action).verdict == "verified"
    for action in reversed(steps):
        op.undo(action)
    for action, found in zip(steps, before, strict=True):
        now = action.read(op.p)
        assert differing(action, found, now) == {}
        assert now.keys() == found.keys()


def test_a_health_check_does_not_end_an_isolated_host_in_standby(world, op, ec2):
    estate = build_estate(world)
    host = host_of(world, estate)
    op.apply(EnterStandby(host))
    op.apply(IsolateInstance(host))
    world.tick(3600)
    [found] = ec2.describe_instances(InstanceIds=[host.instance_id])["Reservations"]
    assert found["Instances"][0]["State"]["Name"] == "running"


def test_a_health_check_does_end_one_that_was_isolated_alone(world, op, ec2):
    # What the order above is for: without standby the group ends the evidence.
    estate = build_estate(world)
    host = host_of(world, estate)
    op.apply(IsolateInstance(host))
    world.tick(3600)
    [found] = ec2.describe_instances(InstanceIds=[host.instance_id])["Reservations"]
    assert found["Instances"][0]["State"]["Name"] in ("shutting-down", "terminated")
