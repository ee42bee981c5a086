"""A new version has new values in the fields named, and the old ones in the others."""

import json

import pytest

from actions.errors import ProviderError, UnfitError
from actions.vault.write_kv_version import WriteKvVersion
from tests.actions.vault import site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    return WriteKvVersion(site.NAME, "secret", "web/db", 1, ("password",), "INC-0007")


def read(op: Operator, path: str = "web/db", version: int | None = None) -> dict:
    return op.estate.root.secrets.kv.v2.read_secret_version(
        path, version=version, raise_on_deleted_version=True
    )["data"]


def test_named_fields_are_new_and_the_others_stay(op: Operator) -> None:
    root, old = op.estate.root, read(op)["data"]
    root.secrets.kv.v2.update_metadata("web/db", max_versions=7, custom_metadata={"team": "shop"})
    applied = op.apply(arrange(op.world, op.estate))
    new = read(op)
    assert applied.after == {"version": 2} == {"version": new["metadata"]["version"]}
    assert new["data"]["user"] == old["user"]
    assert new["data"]["password"] != old["password"]
    assert len(new["data"]["password"]) > 40
    told = root.secrets.kv.v2.read_secret_metadata("web/db")["data"]
    assert told["custom_metadata"] == {"team": "shop", "stanch-incident": "INC-0007"}
    assert told["max_versions"] == 7
    for value in (old["password"], new["data"]["password"]):
        assert value not in json.dumps(op.journal.rows)


def test_a_secret_that_is_not_there_is_made(op: Operator) -> None:
    op.apply(WriteKvVersion(site.NAME, "secret", "new/key", 0, ("a", "b"), "INC-0007"))
    assert read(op, "new/key")["data"].keys() == {"a", "b"}
    assert len(set(read(op, "new/key")["data"].values())) == 2


def test_a_version_that_was_deleted_has_nothing_to_keep(op: Operator) -> None:
    op.estate.root.secrets.kv.v2.delete_latest_version_of_secret("web/db")
    op.apply(arrange(op.world, op.estate))
    assert read(op)["data"].keys() == {"password"}


def test_somebody_elses_version_is_neither_overwritten_nor_taken_for_ours(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    step = f"write_kv_version/{action.target}"
    theirs = {"password": "theirs"}

    def meanwhile() -> None:
        op.estate.root.secrets.kv.v2.create_or_update_secret("web/db", theirs)

    op.journal.on_change = meanwhile  # between the plan and the call
    with pytest.raises(UnfitError, match="at version 2, expected 1"):
        op.apply(action)
    op.journal.on_change = lambda: None
    assert action.find(op.p, op.journal[step].mark) is None
    assert read(op)["data"] == theirs


def test_check_and_set_holds_off_a_write_in_the_last_moment(op: Operator, monkeypatch) -> None:
    action = arrange(op.world, op.estate)
    monkeypatch.setattr(WriteKvVersion, "_must_be_at_cas", lambda self, version: None)
    op.estate.root.secrets.kv.v2.create_or_update_secret("web/db", {"password": "theirs"})
    with pytest.raises(ProviderError, match="check-and-set"):
        op.apply(action)
    assert read(op)["data"] == {"password": "theirs"}


def test_a_plan_that_names_nothing_or_another_version_is_refused(op: Operator) -> None:
    with pytest.raises(UnfitError, match="expected 3"):
        op.plan(WriteKvVersion(site.NAME, "secret", "web/db", 3, ("password",), "INC-0007"))
    with pytest.raises(UnfitError, match="no field is named"):
        op.plan(WriteKvVersion(site.NAME, "secret", "web/db", 1, (), "INC-0007"))
