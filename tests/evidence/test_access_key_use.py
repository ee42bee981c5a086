"""Which keys a user has and when each was last used: read, kept, and concluded from."""

from datetime import UTC, datetime

import pytest

from evidence.sources.access_key_use import AccessKeyUse
from evidence.sources.item import Item, Missed
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World


class Clients:
    def __init__(self, world: World) -> None:
        self.iam = world.client("iam", world.admin)


@pytest.fixture
def world():
    return World(seed=4)


@pytest.fixture
def keys(world):
    iam = world.client("iam", world.admin)
    iam.create_user(UserName="ci")
    return [iam.create_access_key(UserName="ci")["AccessKey"] for _ in range(2)]


def source(world, user="ci"):
    return AccessKeyUse(user, world.account, "aws-global")


def test_use_is_concluded_from_what_is_kept_and_from_nothing_else(world, keys):
    used, idle = keys
    held = Credentials(used["AccessKeyId"], used["SecretAccessKey"])
    world.client("sts", held).get_caller_identity()
    world.client("iam", world.admin).update_access_key(
        UserName="ci", AccessKeyId=idle["AccessKeyId"], Status="Inactive"
    )
    start = len(world.calls)
    items = list(source(world).collect(Clients(world)))
    assert [c.operation for c in world.calls[start:]] == [
        "ListAccessKeys",
        "GetAccessKeyLastUsed",
        "GetAccessKeyLastUsed",
    ]
    assert all(isinstance(one, Item) for one in items)
    found = {one.key: one for one in source(world).findings(items)}
    first, second = found[used["AccessKeyId"]], found[idle["AccessKeyId"]]
    assert (first.active, first.service) == (True, "sts")
    assert abs((datetime.fromisoformat(first.used) - datetime.now(UTC)).total_seconds()) < 600
    assert (second.active, second.used, second.service) == (False, "", "")
    assert "never used" in str(second)
    assert f"last used {first.used} for sts" in str(first)
    assert [one.json()["key"] for one in found.values()] == [one.key for one in found.values()]
    assert not any(used["SecretAccessKey"].encode() in one.data for one in items)


def test_a_key_whose_use_is_missed_is_not_said_to_be_idle(world, keys):
    from playbooks.drills.range.injectors import FailedCall

    world.inject(FailedCall("AccessDenied", 403), "GetAccessKeyLastUsed", nth=1)
    items = list(source(world).collect(Clients(world)))
    [missed] = [one for one in items if isinstance(one, Missed)]
    assert missed.error_code == "AccessDenied"
    found = source(world).findings([one for one in items if isinstance(one, Item)])
    assert len(found) == 1
    assert found[0].key not in missed.name


def test_of_nobody_nothing_is_known(world):
    [missed] = source(world, "nobody").collect(Clients(world))
    assert isinstance(missed, Missed)
    assert missed.error_code == "NoSuchEntity"
