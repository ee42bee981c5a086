"""The function runs no more, and what was reserved for it, or nothing, is so again."""

import io
import zipfile

import pytest

from actions import engine
from actions.aws.stop_function import StopFunction
from actions.errors import TargetGoneError
from tests.actions.aws.people import role


def arrange(world, estate):
    return StopFunction(world.account, world.region, make(world))


def make(world) -> str:
    who = role(world, "runs")
    arn = world.client("iam", world.admin).get_role(RoleName=who.name)["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("f.py", "def h(event, context): ...")
    world.client("lambda", world.admin).create_function(
        FunctionName="persist",
        Runtime="python3.11",
        Role=arn,
        Handler="f.h",
        Code={"ZipFile": packed.getvalue()},
    )
    return "persist"


def reserved(world) -> int | None:
    answer = world.client("lambda", world.admin).get_function_concurrency(FunctionName="persist")
    return answer.get("ReservedConcurrentExecutions")


@pytest.mark.parametrize("had", [None, 0, 7])
def test_what_was_reserved_comes_back_and_none_is_not_zero(world, op, had):
    action = arrange(world, None)
    if had is not None:
        world.client("lambda", world.admin).put_function_concurrency(
            FunctionName="persist", ReservedConcurrentExecutions=had
        )
    op.apply(action)
    assert reserved(world) == 0
    op.undo(action)
    assert reserved(world) == had


def test_the_role_whose_sessions_go_on_is_named(world, op):
    _, sessions = engine.plan(arrange(world, None), op.p).blast
    assert f"arn:aws:iam::{world.account}:role/runs" in sessions


def test_a_function_that_is_gone_is_named(world, op):
    with pytest.raises(TargetGoneError, match="function gone does not exist"):
        op.apply(StopFunction(world.account, world.region, "gone"))
