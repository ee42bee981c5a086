"""Versions, labels and passwords (Secrets Manager: PutSecretValue; RDS: ModifyDBInstance)."""

import pytest

ONE, TWO, THREE = "1" * 32, "2" * 32, "3" * 32


@pytest.fixture
def secrets(world):
    made = world.client("secretsmanager", world.admin)
    made.create_secret(Name="key", SecretString="one", ClientRequestToken=ONE)
    return made


def stages(secrets):
    return {
        v: set(s) for v, s in secrets.describe_secret(SecretId="key")["VersionIdsToStages"].items()
    }


def test_the_current_version_is_the_one_with_the_label_not_the_newest(secrets):
    secrets.put_secret_value(
        SecretId="key", SecretString="two", ClientRequestToken=TWO, VersionStages=["AWSPENDING"]
    )
    assert secrets.get_secret_value(SecretId="key")["SecretString"] == "one"
    secrets.update_secret_version_stage(
        SecretId="key", VersionStage="AWSCURRENT", MoveToVersionId=TWO, RemoveFromVersionId=ONE
    )
    assert secrets.get_secret_value(SecretId="key")["SecretString"] == "two"
    assert stages(secrets)[ONE] == {"AWSPREVIOUS"}
    secrets.update_secret_version_stage(
        SecretId="key", VersionStage="AWSCURRENT", MoveToVersionId=ONE, RemoveFromVersionId=TWO
    )
    assert secrets.get_secret_value(SecretId="key")["SecretString"] == "one"


def test_a_token_is_used_once(world, secrets, refused):
    put = {"SecretId": "key", "ClientRequestToken": TWO}
    secrets.put_secret_value(**put, SecretString="two")
    before = world.digest()
    again = secrets.put_secret_value(**put, SecretString="two")
    assert again["VersionId"] == TWO
    assert world.digest() == before
    code = refused(secrets.put_secret_value, **put, SecretString="three")
    assert code == "ResourceExistsException"
    assert secrets.get_secret_value(SecretId="key")["SecretString"] == "two"


def test_a_label_is_on_one_version_and_moves_from_where_it_is(secrets, refused):
    for token in (TWO, THREE):
        secrets.put_secret_value(
            SecretId="key", SecretString=token, ClientRequestToken=token, VersionStages=["LIVE"]
        )
    assert [v for v, s in stages(secrets).items() if "LIVE" in s] == [THREE]
    move = {"SecretId": "key", "VersionStage": "LIVE", "MoveToVersionId": ONE}
    assert refused(secrets.update_secret_version_stage, **move) == "InvalidParameterException"
    secrets.update_secret_version_stage(**move, RemoveFromVersionId=THREE)
    assert [v for v, s in stages(secrets).items() if "LIVE" in s] == [ONE]


def test_a_masters_new_password_takes_a_while_and_the_old_one_serves_until_then(world):
    rds = world.client("rds", world.admin)
    rds.create_db_instance(
        DBInstanceIdentifier="shop",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="root",
        MasterUserPassword="first-password",
        AllocatedStorage=20,
    )
    before = world.digest()
    changed = rds.modify_db_instance(
        DBInstanceIdentifier="shop", MasterUserPassword="second-password"
    )["DBInstance"]
    assert changed["PendingModifiedValues"]["MasterUserPassword"] == "****"
    assert changed["DBInstanceStatus"] == "resetting-master-credentials"
    assert world.digest() != before
    assert world.logs_in("shop", "root", "first-password")
    assert not world.logs_in("shop", "root", "second-password")
    world.tick(60)
    (shown,) = rds.describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"]
    assert shown["DBInstanceStatus"] == "available"
    assert world.logs_in("shop", "root", "second-password")
    assert not world.logs_in("shop", "root", "first-password")
    assert not world.logs_in("shop", "other", "second-password")
    assert not world.logs_in("nothing", "root", "second-password")
