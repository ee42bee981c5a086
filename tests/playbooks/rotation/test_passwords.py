"""Passwords: set where they are used, tried, then read; and after what can change them."""

import json
from dataclasses import replace

from playbooks.drills.range.corrections.databases import logs_in
from playbooks.wiring.rotation_terms import Credential
from tests.actions.aws.rotating import hold, keys, text_of
from tests.playbooks.rotation.leaking import (
    DATABASE,
    OLD,
    SECRET,
    declare,
    enter,
    in_vault,
    key_of_ci,
    master,
    opened,
    pass_time,
    rehearsed,
)
from tests.playbooks.scene import apart


def read(s, label: str = "AWSCURRENT") -> str:
    manager = s.world.client("secretsmanager", s.world.admin)
    found = manager.get_secret_value(SecretId=SECRET, VersionStage=label)["SecretString"]
    return json.loads(found)["password"]


def lets_in(s, password: str) -> bool:
    return logs_in(s.world.ground, DATABASE, "root", password)


def try_with(s, login) -> None:
    """Let the team's login program for the database's secret be this."""
    key = f"{s.world.account}/{s.world.region}/secret/{SECRET}"
    s.parts = replace(s.parts, logins=lambda region: {key: login})


@apart
def test_a_database_lets_in_whoever_reads_its_secret_afterwards_and_nobody_else(s):
    declare(s, db=master(s))
    tried = []

    def login(held):
        tried.append(lets_in(s, held["password"]))
        return tried[-1]

    try_with(s, login)
    incident = opened(s, f"database/{DATABASE}", s.world.region)
    assert enter(s, incident).state == "Completed"
    assert lets_in(s, read(s))
    assert not lets_in(s, OLD)
    assert tried[-1]
    assert s.now(incident).status == "done"
    kept = json.dumps([repr(e) for e in s.entries(incident)])
    assert read(s) not in kept
    assert OLD not in kept


@apart
def test_a_password_that_lets_nobody_in_is_not_read_and_the_incident_says_so(s):
    declare(s, db=master(s))
    try_with(s, lambda held: False)
    incident = opened(s, f"secret/{SECRET}", s.world.region)
    enter(s, incident)
    assert read(s) == OLD
    said = " ".join(s.case(incident).residual)
    assert "does not let anybody in" in said
    assert "its readers still get the old one" in said
    assert s.now(incident).status == "under way"


@apart
def test_what_can_read_the_password_goes_first_and_the_password_waits_for_its_old_one(s):
    held = hold(s.world)
    declare(s, db=master(s), ci=key_of_ci(s, changes=("db",)))
    incident = opened(s, "user/ci")
    steps = [p.step.partition("/")[0] for p in rehearsed(s, incident)]
    assert steps[:2] == ["rotation", "rotation"]
    assert steps.index("create_access_key") < steps.index("put_secret_version")
    assert enter(s, incident).state == "Waiting"
    assert text_of(s.world)["aws_access_key_id"] != held.key
    # Whoever holds the old key could read the new password: not before that key is off.
    assert read(s) == OLD
    assert "put_secret_version" not in s.steps(incident)
    s.say(s.asked(incident))
    enter(s, incident)
    assert keys(s.world)[held.key] == "Inactive"
    assert lets_in(s, read(s))
    assert not lets_in(s, OLD)


@apart
def test_a_secret_that_only_its_readers_know_waits_for_a_word(s):
    master(s)
    place = f"{s.world.account}/{s.world.region}/secret/{SECRET}"
    declare(s, shared=Credential(kind="secret", target=place, consumers=("web", "batch")))
    incident = opened(s, f"secret/{SECRET}", s.world.region)
    assert enter(s, incident).state == "Waiting"
    assert read(s) != OLD
    assert read(s, "AWSPREVIOUS") == OLD
    assert s.asked(incident).about["read by"] == ["web", "batch"]
    s.say(s.asked(incident))
    assert enter(s, incident).state == "Completed"
    assert s.now(incident).status == "done"


@apart
def test_a_vaults_secret_is_new_and_the_leaked_version_destroyed_with_a_yes(s):
    vault = in_vault(s)
    kv = vault.client(vault.root_token).secrets.kv.v2
    kv.create_or_update_secret("shop/db", {"password": OLD, "user": "shop"})
    one = Credential(kind="vault_secret", target="prod/vault/secret/shop/db")
    declare(s, kept=one)
    incident = opened(s, "prod")
    planned = rehearsed(s, incident)
    acts = [p.scope.action for p in planned]
    assert acts == ["rotation", "write_kv_version", "destroy_kv_versions"]
    assert enter(s, incident).state == "Waiting"
    found = kv.read_secret_version("shop/db", raise_on_deleted_version=True)["data"]["data"]
    assert found["user"] == "shop"
    assert found["password"] != OLD
    s.say(s.asked(incident))
    assert enter(s, incident).state == "Waiting"
    asked = s.asked(incident)
    assert asked.scopes[0]["action"] == "destroy_kv_versions"
    s.say(asked)
    assert enter(s, incident).state == "Completed"
    versions = kv.read_secret_metadata("shop/db")["data"]["versions"]
    assert versions["1"]["destroyed"]
    assert not versions["2"]["destroyed"]
    kept = json.dumps([repr(e) for e in s.entries(incident)])
    assert found["password"] not in kept


@apart
def test_a_key_in_a_vault_is_rotated_where_its_consumers_read_it(s):
    held = hold(s.world)
    vault = in_vault(s)
    kv = vault.client(vault.root_token).secrets.kv.v2
    kv.create_or_update_secret("shop/ci", text_of(s.world))
    one = key_of_ci(s).model_copy(update={"stored": "prod/vault/secret/shop/ci"})
    declare(s, ci=one)
    incident = opened(s, "user/ci")
    assert enter(s, incident).state == "Waiting"
    found = kv.read_secret_version("shop/ci", raise_on_deleted_version=True)["data"]["data"]
    assert found["aws_access_key_id"] != held.key
    s.say(s.asked(incident))
    enter(s, incident)
    assert keys(s.world) == {held.key: "Inactive", found["aws_access_key_id"]: "Active"}
    pass_time(s, hours=25)
    assert enter(s, incident).state == "Waiting"
    assert s.asked(incident).scopes[0]["action"] == "delete_access_key"
