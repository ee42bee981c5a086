"""A new key is stored before it is anything else; one that a crash loses is made again."""

import json

import pytest
from botocore.exceptions import ClientError

from actions import one_way
from actions.action import fields_of, name_of, step_of
from actions.aws.create_access_key import TAG, CreateAccessKey
from actions.aws.principal import Principal
from actions.aws.secret import Secret
from actions.errors import TargetGoneError, UnfitError
from tests.actions.aws.rotating import NAME, USER, hold, keys, text_of, who
from tests.actions.scene import apart, crashes, mutates, scene


def arrange(world, estate):
    held = hold(world)
    return CreateAccessKey(held.user, held.secret.key, (held.key,))


@pytest.fixture
def held(world):
    return hold(world)


@pytest.fixture
def action(held):
    return CreateAccessKey(held.user, held.secret.key, (held.key,))


def begun(op, action):
    """Record the intent, as a process that dies right after does."""
    plan = one_way.foresee(action, op.p)
    return op.journal.intend(step_of(action), name_of(action), fields_of(action), plan)


def usable(world) -> list[str]:
    """Return the active keys that some version of the secret opens AWS with."""
    manager = world.client("secretsmanager", world.admin)
    found = []
    for version in manager.describe_secret(SecretId=NAME)["VersionIdsToStages"]:
        held = text_of(world, version)
        try:
            who(world, held)
        except ClientError:
            continue
        found.append(held["aws_access_key_id"])
    return sorted(found)


def test_the_new_key_is_kept_beside_the_old_one_which_stays_current(world, held, action, op):
    applied = op.apply(action)
    made = applied.after
    assert keys(world) == {held.key: "Active", made["key"]: "Active"}
    assert text_of(world)["aws_access_key_id"] == held.key
    pending = text_of(world, label="AWSPENDING")
    assert pending == text_of(world, made["version"])
    # What else consumers find in there stays, and names stay as they are.
    assert pending.keys() == {"aws_access_key_id", "aws_secret_access_key", "region"}
    assert who(world, pending).endswith(f"user/bots/{USER}")
    assert made == {
        "key": pending["aws_access_key_id"],
        "version": made["version"],
        "into": held.secret.key,
        "orphans": [],
    }


@apart
def test_a_crash_after_any_call_leaves_one_stored_usable_new_key_and_no_orphan():
    found = scene("create_access_key")
    old = found.action.known

    def one_is_left() -> None:
        found.run(found.enter())
        result = found.intent.result
        assert keys(found.world) == {old[0]: "Active", result["key"]: "Active"}
        assert usable(found.world) == sorted([*old, result["key"]])
        made = [c for c in found.world.calls if c.operation == "CreateAccessKey" and not c.error]
        # The first is the old key's; each that is neither old nor left is named.
        assert len(made) == 2 + len(result["orphans"])

    said = list(crashes(found, found.enter(), one_is_left))
    assert said == [""] * len([op for _, op, _ in found.seen if mutates(op)])
    assert len(said) == 3


def test_a_key_that_was_lost_is_named_and_gone_also_after_the_next_crash(world, held, action, op):
    intent = begun(op, action)
    iam = world.client("iam", world.admin)
    store = type(op.p.secretsmanager).put_secret_value
    lost = []
    for _ in range(2):  # twice between creating and storing
        op.p.secretsmanager.put_secret_value = lambda **_: (_ for _ in ()).throw(KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            action.do(op.p, intent.mark, None)
        lost += [k for k in keys(world) if k not in (held.key, *lost)]
    op.p.secretsmanager.put_secret_value = store.__get__(op.p.secretsmanager)
    result = op.apply(action).after
    assert result["orphans"] == lost
    assert keys(world) == {held.key: "Active", result["key"]: "Active"}
    assert iam.list_user_tags(UserName=USER)["Tags"][0]["Key"] == TAG


def test_a_key_that_came_up_and_was_used_is_somebody_elses(world, held, action, op):
    intent = begun(op, action)
    op.p.secretsmanager.put_secret_value = lambda **_: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        action.do(op.p, intent.mark, None)
    iam = world.client("iam", world.admin)
    [orphan] = set(keys(world)) - {held.key}
    iam.delete_access_key(UserName=USER, AccessKeyId=orphan)
    foreign = iam.create_access_key(UserName=USER)["AccessKey"]
    who(
        world,
        {
            "aws_access_key_id": foreign["AccessKeyId"],
            "aws_secret_access_key": foreign["SecretAccessKey"],
        },
    )
    with pytest.raises(UnfitError, match="somebody else's"):
        action.do(op.p, intent.mark, None)
    assert keys(world) == {held.key: "Active", foreign["AccessKeyId"]: "Active"}


def test_a_key_that_was_made_since_the_plan_stops_it(world, held, action, op):
    intent = begun(op, action)
    world.client("iam", world.admin).create_access_key(UserName=USER)
    with pytest.raises(UnfitError, match="not from Stanch"):
        action.do(op.p, intent.mark, None)
    with pytest.raises(UnfitError, match="not from Stanch"):
        one_way.foresee(action, op.p)
    assert len(keys(world)) == 2


def test_with_two_keys_both_are_shown_and_neither_is_touched(world, held, op):
    second = world.client("iam", world.admin).create_access_key(UserName=USER)["AccessKey"]
    who(world, text_of(world))
    both = CreateAccessKey(held.user, held.secret.key, (held.key, second["AccessKeyId"]))
    with pytest.raises(UnfitError) as refused:
        op.apply(both)
    said = str(refused.value)
    assert f"{held.key} (active, last used 20" in said
    assert f"{second['AccessKeyId']} (active, never used)" in said
    assert len(keys(world)) == 2


@pytest.mark.parametrize(
    ("into", "why"),
    [
        ("{here}/secret/nowhere", "does not exist"),
        ("111122223333/us-west-2/secret/shop/ci", "was to be used in"),
        ("{here}/bucket/x", "no place for an access key"),
    ],
)
def test_where_it_cannot_be_kept_none_is_made(world, held, op, into, why):
    into = into.format(here=f"{world.account}/{world.region}")
    with pytest.raises((UnfitError, TargetGoneError), match=why):
        op.apply(CreateAccessKey(held.user, into, (held.key,)))
    assert keys(world) == {held.key: "Active"}


def test_a_rotation_under_way_or_one_of_the_secrets_own_is_left_alone(world, held, action, op):
    manager = world.client("secretsmanager", world.admin)
    manager.put_secret_value(SecretId=NAME, SecretString="{}", VersionStages=["AWSPENDING"])
    with pytest.raises(UnfitError, match="is under way"):
        op.apply(action)
    assert keys(world) == {held.key: "Active"}


def test_what_is_no_object_is_not_overwritten_and_not_quoted(world, held, action, op):
    manager = world.client("secretsmanager", world.admin)
    for text in ("zq7 plain words", json.dumps(["zq7"])):
        manager.put_secret_value(SecretId=NAME, SecretString=text)
        with pytest.raises(UnfitError, match="holds no JSON object") as refused:
            op.apply(action)
        assert "zq7" not in str(refused.value)
        assert keys(world) == {held.key: "Active"}


def test_a_key_that_does_not_open_aws_yet_is_not_a_result_yet(world, held, action, op):
    tried = []

    def login(key: dict[str, str]) -> bool:
        tried.append(key["id"])
        return len(tried) > 3

    op.p.logins["access_key"] = login
    made = op.apply(action).after
    assert set(tried) == {made["key"]}
    created = [c for c in op.written() if c.operation == "CreateAccessKey"]
    assert len(created) == 2  # the old one, and one new one


def test_there_must_be_a_user(world, held, op):
    nobody = CreateAccessKey(
        Principal(world.account, "user", "nobody"),
        Secret(world.account, world.region, NAME).key,
        (),
    )
    with pytest.raises(TargetGoneError):
        op.apply(nobody)
