"""The rule fires no more, keeps all else, and is in the state again that it was in."""

import json

import pytest

from actions.aws.disable_event_rule import ALL_EVENTS, DisableEventRule
from actions.errors import TargetGoneError, UnfitError

PATTERN = json.dumps({"source": ["aws.ec2"]})


def arrange(world, estate):
    make(world)
    return DisableEventRule(world.account, world.region, "persist")


def make(world, **more) -> None:
    given = {"EventPattern": PATTERN, "State": "ENABLED", "Description": "d"} | more
    world.client("events", world.admin).put_rule(Name="persist", **given)


def rule(world, bus="default") -> dict:
    found = world.client("events", world.admin).describe_rule(Name="persist", EventBusName=bus)
    return {k: v for k, v in found.items() if k != "ResponseMetadata"}


@pytest.mark.parametrize("state", ["ENABLED", "DISABLED", ALL_EVENTS])
def test_each_state_comes_back_and_nothing_else_changes(world, op, state):
    make(world, State=state)
    before = rule(world)
    action = DisableEventRule(world.account, world.region, "persist")
    op.apply(action)
    assert rule(world) == before | {"State": "DISABLED"}
    op.undo(action)
    assert rule(world) == before


def test_a_rule_of_another_bus(world, op):
    world.client("events", world.admin).create_event_bus(Name="own")
    make(world, EventBusName="own")
    make(world)
    action = DisableEventRule(world.account, world.region, "persist", "own")
    op.apply(action)
    assert (rule(world, "own")["State"], rule(world)["State"]) == ("DISABLED", "ENABLED")


def test_a_state_that_needs_a_role_passed_is_not_taken_away(world, op):
    make(world, State=ALL_EVENTS, RoleArn=f"arn:aws:iam::{world.account}:role/r")
    start = len(world.calls)
    with pytest.raises(UnfitError, match="Disable it by hand"):
        op.apply(DisableEventRule(world.account, world.region, "persist"))
    assert op.written(start) == []


def test_a_rule_that_a_service_manages_is_refused(world, op):
    action = arrange(world, None)
    op.p.events.meta.events.register(
        "after-call.events.DescribeRule",
        lambda parsed, **_: parsed.update(ManagedBy="guardduty.amazonaws.com"),
    )
    with pytest.raises(UnfitError, match="managed by guardduty"):
        op.apply(action)


def test_a_rule_that_is_gone_is_named(world, op):
    with pytest.raises(TargetGoneError, match="rule gone does not exist"):
        op.apply(DisableEventRule(world.account, world.region, "gone"))
