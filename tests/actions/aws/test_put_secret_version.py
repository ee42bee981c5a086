"""A new version waits where nobody reads it, is made once, and its value is nobody's to see."""

import json

import pytest

from actions import one_way
from actions.action import fields_of, name_of, step_of
from actions.aws.put_secret_version import UNWANTED, PutSecretVersion
from actions.aws.secret import Secret
from actions.errors import TargetGoneError, UnfitError

NAME = "shop/db"


def arrange(world, estate):
    manager = world.client("secretsmanager", world.admin)
    text = json.dumps({"username": "root", "password": "first-of-all"})
    manager.create_secret(Name=NAME, SecretString=text)
    return PutSecretVersion(Secret(world.account, world.region, NAME))


@pytest.fixture
def manager(world):
    return world.client("secretsmanager", world.admin)


def text(manager, label="AWSCURRENT"):
    return manager.get_secret_value(SecretId=NAME, VersionStage=label)["SecretString"]


def test_only_the_one_field_is_new_and_the_current_version_stays(world, estate, op, manager):
    action = arrange(world, estate)
    before = text(manager)
    applied = op.apply(action)
    assert text(manager) == before
    new = json.loads(text(manager, "AWSPENDING"))
    assert new["username"] == "root"
    assert new["password"] not in ("first-of-all", "")
    assert len(new["password"]) == 32
    assert not set(new["password"]) & set(UNWANTED)
    stages = manager.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    assert stages[applied.after["version"]] == ["AWSPENDING"]


def test_the_value_is_neither_in_the_plan_nor_in_the_result(world, estate, op, manager):
    applied = op.apply(arrange(world, estate))
    new = json.loads(text(manager, "AWSPENDING"))["password"]
    kept = json.dumps(op.journal.rows) + repr(applied)
    assert new not in kept
    assert "first-of-all" not in kept


def test_without_a_field_the_whole_text_is_the_password(world, estate, op, manager):
    whole = PutSecretVersion(arrange(world, estate).secret, field="", length=48)
    op.apply(whole)
    assert len(text(manager, "AWSPENDING")) == 48


def test_a_try_that_came_through_late_is_adopted(world, estate, op, manager):
    action = arrange(world, estate)
    plan = one_way.foresee(action, op.p)
    intent = op.journal.intend(step_of(action), name_of(action), fields_of(action), plan)
    action.do(op.p, intent.mark, None)
    first = text(manager, "AWSPENDING")
    action.do(op.p, intent.mark, None)
    assert text(manager, "AWSPENDING") == first


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ('{"username": "root"}', "no field 'password'"),
        ("not json zq7", "holds no JSON object"),
        (b"\x00zq7", "is binary"),
    ],
)
def test_what_it_does_not_understand_it_leaves(world, estate, op, manager, held, why):
    action = arrange(world, estate)
    kind = "SecretBinary" if isinstance(held, bytes) else "SecretString"
    manager.put_secret_value(SecretId=NAME, **{kind: held})
    before = world.digest()
    with pytest.raises(UnfitError, match=why) as refused:
        op.apply(action)
    assert "zq7" not in str(refused.value)
    assert world.digest() == before


def test_a_rotation_of_its_own_or_under_way_is_left_alone(world, estate, op, manager):
    action = arrange(world, estate)
    manager.put_secret_value(SecretId=NAME, SecretString="{}", VersionStages=["AWSPENDING"])
    with pytest.raises(UnfitError, match="is under way"):
        op.apply(action)


def test_a_secret_that_is_being_deleted_is_gone(world, estate, op, manager):
    action = arrange(world, estate)
    manager.delete_secret(SecretId=NAME, RecoveryWindowInDays=7)
    with pytest.raises(TargetGoneError, match="RestoreSecret"):
        op.apply(action)
