"""A new secret id reaches its application once, whatever is lost on the way, and nobody else."""

import json

import pytest

from actions.errors import TargetGoneError, UnfitError
from actions.vault.issue_secret_id import LOST, IssueSecretId
from tests.actions.scene import apart, crashes, scene
from tests.actions.vault import site
from tests.actions.vault.operating import Operator

ACTION = IssueSecretId(site.NAME, "approle", "web", "secret", "web/login")
STEP = f"issue_secret_id/{ACTION.target}"


def arrange(world, estate):
    return ACTION


def left(world, estate):
    """Return what is left of the act: how many secret ids, and whether what is read works."""
    held = estate.root.secrets.kv.v2.read_secret_version("web/login", raise_on_deleted_version=True)
    new = site.Login(
        "web", estate.apps["web"].role_id, held["data"]["data"]["secret_id"], "not asked for"
    )
    count = len(estate.root.auth.approle.list_secret_id_accessors("web")["data"]["keys"])
    return count, site.works(world, new), held["data"]["data"].keys() == {"secret_id"}


@pytest.mark.parametrize("name", ["issue_secret_id"])
@apart
def test_a_crash_after_any_call_leaves_one_that_works(name: str) -> None:
    found = scene(name)

    def in_the_end() -> str:
        found.run(found.enter())
        assert found.intent.phase == "done"
        return repr(left(found.world, found.estate))

    ends = list(crashes(found, found.enter(), in_the_end))
    assert ends == [repr((2, True, True))] * 2
    assert left(found.world, found.estate) == (2, True, True)


def test_the_application_logs_in_with_what_it_reads(op: Operator) -> None:
    applied = op.apply(ACTION)
    assert left(op.world, op.estate) == (2, True, True)
    assert applied.after["lost"] == []
    value = op.estate.root.secrets.kv.v2.read_secret_version(
        "web/login", raise_on_deleted_version=True
    )["data"]["data"]["secret_id"]
    told = op.estate.root.auth.approle.read_secret_id("web", value)["data"]
    assert told["secret_id_accessor"] == applied.after["accessor"]
    assert value not in json.dumps(op.journal.rows)


def test_one_that_was_lost_is_destroyed_noted_and_made_again(op: Operator) -> None:
    op.estate.root.secrets.kv.v2.create_or_update_secret("web/login", {"role": "web"})
    roles = op.estate.root.auth.approle
    mark = op.journal.intend(STEP, "issue_secret_id", dict(vars(ACTION)), op.plan(ACTION)).mark
    lost = roles.generate_secret_id("web", metadata={"stanch": mark})["data"]["secret_id_accessor"]
    applied = op.apply(ACTION)
    assert applied.after["lost"] == [lost]
    assert lost not in roles.list_secret_id_accessors("web")["data"]["keys"]
    told = op.estate.root.secrets.kv.v2.read_secret_metadata("web/login")["data"]
    assert told["custom_metadata"] == {LOST: lost}
    held = op.estate.root.secrets.kv.v2.read_secret_version(
        "web/login", raise_on_deleted_version=True
    )["data"]["data"]
    assert held.keys() == {"role", "secret_id"}


def test_stanch_itself_and_what_is_gone_are_refused(op: Operator) -> None:
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(IssueSecretId(site.NAME, "stanch", "stanch", "secret", "x"))
    with pytest.raises(TargetGoneError):
        op.plan(IssueSecretId(site.NAME, "approle", "none", "secret", "x"))
