"""Labels move together and back, and nothing becomes current that lets nobody in."""

import json

import pytest

from actions import engine
from actions.aws.move_secret_stages import MoveSecretStages
from actions.aws.secret import Secret
from actions.errors import DriftError, ProviderError, UnfitError

NAME, NEW, OLDEST = "shop/db", "n" * 32, "o" * 32


def arrange(world, estate):
    manager = world.client("secretsmanager", world.admin)
    manager.create_secret(
        Name=NAME, SecretString=json.dumps({"password": "oldest"}), ClientRequestToken=OLDEST
    )
    manager.put_secret_value(SecretId=NAME, SecretString=json.dumps({"password": "old"}))
    manager.put_secret_value(
        SecretId=NAME,
        SecretString=json.dumps({"password": "new"}),
        ClientRequestToken=NEW,
        VersionStages=["AWSPENDING"],
    )
    return MoveSecretStages(Secret(world.account, world.region, NAME), NEW)


@pytest.fixture
def action(world):
    return arrange(world, None)


@pytest.fixture
def manager(world):
    return world.client("secretsmanager", world.admin)


def read(manager, label="AWSCURRENT") -> str:
    found = manager.get_secret_value(SecretId=NAME, VersionStage=label)["SecretString"]
    return json.loads(found)["password"]


def test_readers_get_the_new_one_and_on_the_way_back_the_old_one(action, op, manager):
    before = manager.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    op.apply(action)
    assert (read(manager), read(manager, "AWSPREVIOUS")) == ("new", "old")
    op.undo(action)
    assert (read(manager), read(manager, "AWSPREVIOUS")) == ("old", "oldest")
    assert read(manager, "AWSPENDING") == "new"
    assert manager.describe_secret(SecretId=NAME)["VersionIdsToStages"] == before


def test_there_is_no_moment_without_a_current_version(action, op, manager, world):
    seen = set()
    ask = world.session(world.admin).client("secretsmanager")
    op.p.secretsmanager.meta.events.register("after-call", lambda **_: seen.add(read(ask)))
    op.apply(action)
    op.undo(action)
    assert seen == {"old", "new"}


def test_a_version_that_lets_nobody_in_does_not_become_current(action, op, manager):
    tried = []

    def login(held):
        tried.append(held["password"])
        return False

    op.p.logins[action.secret.key] = login
    with pytest.raises(ProviderError, match="does not let anybody in") as refused:
        op.apply(action)
    assert refused.value.passing  # a password that was just set may take a moment
    assert set(tried) == {"new"}
    assert read(manager) == "old"
    op.p.logins[action.secret.key] = lambda held: held["password"] == "new"
    op.apply(action)
    assert read(manager) == "new"


def test_a_key_that_opens_nothing_yet_is_waited_for_there_and_back(action, op, manager):
    def keep(key: str, **more: object) -> None:
        text = json.dumps({"AccessKeyId": key, "SecretAccessKey": "s", "password": key})
        manager.put_secret_value(SecretId=NAME, SecretString=text, **more)

    keep("AKIAOLD")
    keep("AKIANEW", ClientRequestToken="k" * 32, VersionStages=["AWSPENDING"])
    lens = MoveSecretStages(action.secret, "k" * 32)
    tried: list[str] = []

    def login(key):
        tried.append(key["id"])
        assert read(manager) == ("AKIAOLD" if key["id"] == "AKIANEW" else "AKIANEW")
        return tried.count(key["id"]) > 2

    op.p.logins["access_key"] = login
    op.apply(lens)
    assert read(manager) == "AKIANEW"
    op.undo(lens)
    assert read(manager) == "AKIAOLD"
    assert tried == ["AKIANEW"] * 3 + ["AKIAOLD"] * 3


def test_what_somebody_else_made_current_meanwhile_stays(action, op, manager):
    op.intend(action)
    manager.put_secret_value(SecretId=NAME, SecretString=json.dumps({"password": "theirs"}))
    with pytest.raises(DriftError):
        op.apply(action)
    assert read(manager) == "theirs"


def test_one_that_is_current_already_is_nothing_to_do(action, op, world):
    op.apply(action)
    again = MoveSecretStages(action.secret, NEW)
    assert engine.changes(again, engine.plan(again, op.p)) == {}


def test_what_loses_its_last_label_is_said_and_a_missing_version_is_refused(action, op):
    assert any(OLDEST in line for line in engine.plan(action, op.p).lost)
    with pytest.raises(UnfitError, match="is not there"):
        op.apply(MoveSecretStages(action.secret, "x" * 32))


def test_before_there_is_a_version_it_can_be_planned(action, op):
    planned = engine.plan(MoveSecretStages(action.secret), op.p)
    assert planned.wanted["labels"]["AWSCURRENT"] == ""
    assert any("gets another value" in line for line in planned.blast)
