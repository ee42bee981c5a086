"""Whoever became another by an alias is only themselves once it is removed."""

import pytest

from actions.errors import ApprovalMissingError, NothingToDoError, UnfitError
from actions.vault.remove_alias import RemoveAlias
from tests.actions.vault import site
from tests.actions.vault.operating import Operator
from tests.actions.vault.test_disable_entity import entity_of


def arrange(world, estate):
    """Let a new user of a new mount log in as the neighbour's entity."""
    root = estate.root
    root.sys.enable_auth_method("userpass", path="people")
    root.write("auth/people/users/eve", password="canary-pass")
    entity = entity_of(world, site.log_in(world, estate.apps["batch"]))
    mount = root.sys.list_auth_methods()["data"]["people/"]["accessor"]
    made = root.secrets.identity.create_or_update_entity_alias("eve", entity, mount)
    return RemoveAlias(site.NAME, made["data"]["id"])


def as_eve(op: Operator) -> str:
    answer = op.world.client().auth.userpass.login(
        "eve", "canary-pass", use_token=False, mount_point="people"
    )
    return str(answer["auth"]["entity_id"])


def test_who_logged_in_by_it_is_somebody_else_then(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    batch = entity_of(op.world, site.log_in(op.world, op.estate.apps["batch"]))
    assert as_eve(op) == batch
    assert op.plan(action).before["name"] == "eve"
    assert op.apply(action).after == {"gone": True}
    assert as_eve(op) != batch
    assert site.works(op.world, op.estate.apps["batch"])


def test_an_approval_is_needed_and_an_alias_that_is_not_stanchs(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    with pytest.raises(ApprovalMissingError):
        op.apply(action, approval=None)
    with pytest.raises(NothingToDoError):
        op.plan(RemoveAlias(site.NAME, "none"))
    ours = entity_of(op.world, op.estate.stanch)
    [alias] = op.estate.root.secrets.identity.read_entity(ours)["data"]["aliases"]
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(RemoveAlias(site.NAME, alias["id"]))
