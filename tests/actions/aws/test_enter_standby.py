"""The group lets go of the host, and takes it back with its sizes and members as they were."""

import pytest

from actions import engine
from actions.action import step_of
from actions.aws.enter_standby import EnterStandby
from actions.aws.instance import Instance
from actions.errors import ProviderError, UnfitError
from tests.actions.aws import site
from tests.actions.aws.operating import host_of

SIZES = [(1, 3, 2), (2, 2, 2), (1, 1, 1), (0, 2, 2), (2, 4, 2), (0, 1, 1)]


def arrange(world, estate):
    return EnterStandby(host_of(world, estate))


@pytest.fixture
def estate(request, world):
    return site.build(world, getattr(request, "param", (1, 3, 2)))


def group_of(scaling) -> tuple[tuple[int, int, int], dict[str, str]]:
    [found] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])[
        "AutoScalingGroups"
    ]
    sizes = (found["MinSize"], found["MaxSize"], found["DesiredCapacity"])
    return sizes, {i["InstanceId"]: i["LifecycleState"] for i in found["Instances"]}


@pytest.mark.parametrize("estate", SIZES, indirect=True)
def test_sizes_lifecycle_and_members_come_back_exactly(world, estate, op, scaling):
    before = group_of(scaling)
    action = arrange(world, estate)
    op.apply(action)
    sizes, members = group_of(scaling)
    assert sizes == before[0]
    assert members[estate.target] == "Standby"
    assert len(members) == len(before[1]) + 1  # AWS launched another in its place
    op.undo(action)
    assert group_of(scaling) == before


@pytest.mark.parametrize("estate", SIZES, indirect=True)
@pytest.mark.parametrize("made", [1, 2, 3, 4])
def test_a_way_back_that_was_cut_short_is_carried_on(world, estate, op, scaling, made):
    before = group_of(scaling)
    low, _, desired = before[0]
    action = arrange(world, estate)
    op.apply(action)
    [replacement] = set(group_of(scaling)[1]) - set(before[1])
    op.journal.undoing(step_of(action))
    calls = [
        (scaling.update_auto_scaling_group, {"MinSize": min(low, desired - 1)}),
        (
            scaling.terminate_instance_in_auto_scaling_group,
            {"InstanceId": replacement, "ShouldDecrementDesiredCapacity": True},
        ),
        (scaling.exit_standby, {"InstanceIds": [estate.target]}),
        (scaling.update_auto_scaling_group, {"MinSize": low}),
    ]
    for call, parameters in calls[:made]:
        ends = "ShouldDecrementDesiredCapacity" in parameters
        call(**({} if ends else {"AutoScalingGroupName": "web"}), **parameters)
    op.undo(action)
    assert group_of(scaling) == before


def test_the_replacement_and_its_source_are_named_beforehand(world, estate, op):
    [blast] = engine.plan(arrange(world, estate), op.p).blast
    assert "launch template web" in blast
    assert "compromised" in blast


def test_a_group_that_may_not_launch_is_said_to_run_short_and_comes_back(
    world, estate, op, scaling
):
    scaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["Launch"])
    before = group_of(scaling)
    action = arrange(world, estate)
    short, suspended = engine.plan(action, op.p).blast
    assert "one instance short" in short
    assert "Launch" in suspended
    op.apply(action)
    op.undo(action)
    assert group_of(scaling) == before


def test_a_host_in_no_group_is_left_alone(world, estate, op, ec2):
    alone = ec2.run_instances(ImageId=estate.image, MinCount=1, MaxCount=1, SubnetId=estate.subnet)[
        "Instances"
    ][0]["InstanceId"]
    start = len(world.calls)
    applied = op.apply(EnterStandby(Instance(world.account, world.region, alone)))
    assert applied.before == {}
    assert op.written(start) == []


def test_a_group_that_was_scaled_meanwhile_is_not_overwritten(world, estate, op, scaling):
    action = arrange(world, estate)
    op.apply(action)
    scaling.update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=6, DesiredCapacity=5)
    start = len(world.calls)
    with pytest.raises(UnfitError, match="1, 3, 2, and are 1, 6, 5"):
        op.undo(action)
    assert op.written(start) == []


def test_scaling_between_intent_and_entry_does_not_hold_containment_up(world, estate, op, scaling):
    action = arrange(world, estate)
    op.intend(action)
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    assert op.apply(action).verdict == "verified"
    assert group_of(scaling)[1][estate.target] == "Standby"


def test_a_host_that_was_detached_meanwhile_is_not_put_back_in(world, estate, op, scaling):
    action = arrange(world, estate)
    with pytest.raises(UnfitError, match="not in Auto Scaling group other"):
        action.write(op.p, "lifecycle/other", {"state": "Standby"})


def test_entering_counts_as_standby_and_pending_is_half_way(world, estate):
    action = arrange(world, estate)
    key, before = "lifecycle/web", {"state": "InService", "min": 1, "max": 3, "desired": 2}
    wanted = action.wanted({key: before})[key]
    assert action.same(key, {"state": "EnteringStandby"}, wanted)
    assert not action.same(key, before, wanted)
    on_the_way = [v["state"] for v in action.transit({key: before})[key]]
    assert on_the_way == ["Pending", "Pending:Wait", "Pending:Proceed"]


class Entering:
    """A scaling service whose instance is in this lifecycle state; everything else is real."""

    def __init__(self, real, state):
        self.real, self.state = real, state

    def __getattr__(self, name):
        return getattr(self.real, name)

    def describe_auto_scaling_instances(self, **how):
        found = self.real.describe_auto_scaling_instances(**how)
        for member in found["AutoScalingInstances"]:
            member["LifecycleState"] = self.state
        return found


def test_the_way_back_waits_until_standby_is_reached(world, estate, op):
    action = arrange(world, estate)
    before = action.read(op.p)["lifecycle/web"]
    op.apply(action)
    start = len(world.calls)
    op.p.autoscaling = Entering(op.p.autoscaling, "EnteringStandby")
    with pytest.raises(ProviderError) as caught:
        action.write(op.p, "lifecycle/web", before)
    assert caught.value.passing
    assert op.written(start) == []


@pytest.mark.parametrize("state", ["Pending", "Terminating:Wait", "Warmed:Running"])
def test_what_is_not_in_service_cannot_enter_standby_and_that_is_said(world, estate, op, state):
    op.p.autoscaling = Entering(op.p.autoscaling, state)
    start = len(world.calls)
    with pytest.raises(UnfitError, match=state):
        op.apply(arrange(world, estate))
    assert op.written(start) == []


def test_what_enters_standby_already_is_left_to_arrive(world, estate, op):
    """Another incident put it there, and its connections drain still (300 s by default)."""
    action = arrange(world, estate)
    op.apply(action)
    op.p.autoscaling = Entering(op.p.autoscaling, "EnteringStandby")
    found = engine.plan(action, op.p)
    assert engine.changes(action, found) == {}
