"""The host gets another profile, or none, and then its own back, path and all."""

import pytest

from actions import engine
from actions.aws.replace_instance_profile import ReplaceInstanceProfile
from tests.actions.aws.operating import host_of


def arrange(world, estate):
    iam = world.client("iam", world.admin)
    made = iam.create_instance_profile(InstanceProfileName="bare", Path="/ir/")
    return ReplaceInstanceProfile(host_of(world, estate), made["InstanceProfile"]["Arn"])


def profiles(ec2, host) -> list[str]:
    found = ec2.describe_iam_instance_profile_associations(
        Filters=[
            {"Name": "instance-id", "Values": [host.instance_id]},
            {"Name": "state", "Values": ["associated"]},
        ]
    )["IamInstanceProfileAssociations"]
    return [a["IamInstanceProfile"]["Arn"] for a in found]


def test_a_profile_with_a_path_comes_back(world, estate, host, op, ec2):
    assert profiles(ec2, host) == [estate.profile_arn]
    action = arrange(world, estate)
    op.apply(action)
    assert profiles(ec2, host) == [action.profile_arn]
    op.undo(action)
    assert profiles(ec2, host) == [estate.profile_arn]


def test_a_profile_that_was_taken_away_comes_back(world, estate, host, op, ec2):
    action = ReplaceInstanceProfile(host)
    op.apply(action)
    assert profiles(ec2, host) == []
    op.undo(action)
    assert profiles(ec2, host) == [estate.profile_arn]


def test_a_host_that_had_none_has_none_again(world, estate, host, op, ec2):
    op.apply(ReplaceInstanceProfile(host))
    action = arrange(world, estate)
    op.journal = type(op.journal)()  # another incident
    op.apply(action)
    assert profiles(ec2, host) == [action.profile_arn]
    op.undo(action)
    assert profiles(ec2, host) == []


@pytest.mark.parametrize("profile", ["same", None])
def test_writing_what_is_so_already_calls_nothing(world, estate, host, op, profile):
    wanted = estate.profile_arn if profile == "same" else None
    action = ReplaceInstanceProfile(host, wanted)
    action.write(op.p, "profile", wanted)
    start = len(world.calls)
    action.write(op.p, "profile", wanted)
    assert op.written(start) == []


def test_the_new_association_id_is_said_to_be_lost(world, estate, op):
    [lost] = engine.plan(arrange(world, estate), op.p).lost
    assert "association" in lost
