"""Labels say which version of a secret is read (Secrets Manager API reference)."""

import pytest


@pytest.fixture
def manager(world):
    return world.client("secretsmanager", world.admin)


@pytest.fixture
def versions(manager):
    first = manager.create_secret(Name="app/db", SecretString="one")["VersionId"]
    token = "b" * 32
    manager.put_secret_value(
        SecretId="app/db",
        SecretString="two",
        ClientRequestToken=token,
        VersionStages=["AWSPENDING"],
    )
    return first, token


def read(manager, **what) -> str:
    return manager.get_secret_value(SecretId="app/db", **what)["SecretString"]


def test_what_is_current_is_read_also_after_its_label_moved(manager, versions):
    first, second = versions
    assert (read(manager), read(manager, VersionStage="AWSPENDING")) == ("one", "two")
    for there, back in ((second, first), (first, second)):
        manager.update_secret_version_stage(
            SecretId="app/db",
            VersionStage="AWSCURRENT",
            MoveToVersionId=there,
            RemoveFromVersionId=back,
        )
        assert read(manager) == read(manager, VersionId=there)
        assert read(manager, VersionStage="AWSPREVIOUS") == read(manager, VersionId=back)


@pytest.mark.parametrize("label", ["AWSCURRENT", "AWSPENDING"])
def test_a_label_moves_only_from_where_it_is_said_to_be(manager, versions, refused, label):
    first, second = versions
    bearing, other = (first, second) if label == "AWSCURRENT" else (second, first)
    move = {"SecretId": "app/db", "VersionStage": label, "MoveToVersionId": other}
    assert refused(manager.update_secret_version_stage, **move) == "InvalidParameterException"
    manager.update_secret_version_stage(**move, RemoveFromVersionId=bearing)
    stages = manager.describe_secret(SecretId="app/db")["VersionIdsToStages"]
    assert [v for v, labels in stages.items() if label in labels] == [other]


def test_the_digest_tells_values_and_labels_apart_and_reading_changes_nothing(
    world, manager, versions
):
    first, second = versions
    before = world.digest()
    read(manager)
    manager.describe_secret(SecretId="app/db")
    assert world.digest() == before
    manager.update_secret_version_stage(
        SecretId="app/db",
        VersionStage="AWSCURRENT",
        MoveToVersionId=second,
        RemoveFromVersionId=first,
    )
    moved = world.digest()
    manager.put_secret_value(SecretId="app/db", SecretString="three")
    assert len({before, moved, world.digest()}) == 3
