"""The database takes the password from the secret's version, and gives the old one back."""

import json

import pytest

from actions import engine
from actions.aws.database import Database
from actions.aws.rotate_master_password import RotateMasterPassword
from actions.aws.secret import Secret
from actions.errors import TargetGoneError, UnfitError
from playbooks.drills.range.corrections.databases import logs_in

NAME, NEW = "shop/db", "n" * 32
OLD_PASSWORD, NEW_PASSWORD = "old-and-leaked", "new-and-unknown"


def arrange(world, estate):
    manager, rds = (world.client(n, world.admin) for n in ("secretsmanager", "rds"))
    rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="root",
        MasterUserPassword=OLD_PASSWORD,
        AllocatedStorage=20,
    )
    manager.create_secret(Name=NAME, SecretString=json.dumps({"password": OLD_PASSWORD}))
    manager.put_secret_value(
        SecretId=NAME,
        SecretString=json.dumps({"password": NEW_PASSWORD}),
        ClientRequestToken=NEW,
        VersionStages=["AWSPENDING"],
    )
    where = (world.account, world.region)
    return RotateMasterPassword(Database(*where, "orders"), Secret(*where, NAME), NEW)


@pytest.fixture
def action(world):
    return arrange(world, None)


def lets_in(world, password: str) -> bool:
    return logs_in(world.ground, "orders", "root", password)


def test_the_password_is_set_and_given_back(world, action, op):
    op.apply(action)
    assert lets_in(world, NEW_PASSWORD)
    op.undo(action)
    assert lets_in(world, OLD_PASSWORD)


def test_no_password_stands_in_the_journal_or_an_error(world, action, op):
    op.apply(action)
    kept = json.dumps(op.journal.rows)
    assert NEW_PASSWORD not in kept
    assert OLD_PASSWORD not in kept
    wrong = RotateMasterPassword(action.database, action.secret, NEW, field="pin")
    with pytest.raises(UnfitError, match="has no field 'pin'") as refused:
        wrong.write(op.p, "password", NEW)
    assert NEW_PASSWORD not in str(refused.value)


def test_it_is_not_done_while_rds_is_still_changing_it(world, action, op):
    op.intend(action)
    was = action.read(op.p)["password"]
    action.write(op.p, "password", NEW)
    assert lets_in(world, OLD_PASSWORD)
    assert action.read(op.p) == {"password": was}
    op.apply(action)
    assert lets_in(world, NEW_PASSWORD)
    assert not lets_in(world, OLD_PASSWORD)


def test_a_change_that_was_begun_and_not_made_is_made(world, action, op):
    op.intend(action)
    real = op.p.rds.modify_db_instance
    op.p.rds.modify_db_instance = lambda **_: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        action.write(op.p, "password", NEW)
    op.p.rds.modify_db_instance = real
    op.apply(action)
    assert lets_in(world, NEW_PASSWORD)


def test_what_rds_or_a_cluster_manages_is_left_to_it(world, action, op):
    op.p.rds.modify_db_instance(DBInstanceIdentifier="orders", ManageMasterUserPassword=True)
    with pytest.raises(UnfitError, match="RDS itself manages"):
        op.apply(action)
    real = op.p.rds.describe_db_instances

    def in_cluster(**what):
        found = real(**what)
        found["DBInstances"][0].pop("MasterUserSecret", None)
        found["DBInstances"][0]["DBClusterIdentifier"] = "fleet"
        return found

    op.p.rds.describe_db_instances = in_cluster
    with pytest.raises(UnfitError, match="cluster fleet"):
        op.apply(action)


def test_who_fails_meanwhile_is_said(action, op):
    [line] = engine.plan(action, op.p).blast
    assert "new logins to orders" in line


def test_there_must_be_a_database_here(world, action, op):
    for region, kind in ((world.region, TargetGoneError), ("us-west-2", UnfitError)):
        other = Database(world.account, region, "nowhere")
        with pytest.raises(kind):
            op.apply(RotateMasterPassword(other, action.secret, NEW))
