"""Members of a suspended group have what else they have, and all of it again after."""

import pytest

from actions.errors import NothingToDoError, TargetGoneError, UnfitError
from actions.vault.suspend_group import SuspendGroup
from tests.actions.vault import site
from tests.actions.vault.operating import Operator
from tests.actions.vault.test_disable_entity import entity_of


def group(estate, members, policies=("batch",)):
    made = estate.root.secrets.identity.create_or_update_group(
        "admins", member_entity_ids=members, policies=list(policies)
    )
    return SuspendGroup(site.NAME, made["data"]["id"])


def arrange(world, estate):
    token = site.log_in(world, estate.apps["web"])
    return group(estate, [entity_of(world, token)], ("batch", "web"))


def test_its_members_lose_what_it_gave_and_nothing_else(op: Operator) -> None:
    token = site.log_in(op.world, op.estate.apps["web"])
    action = group(op.estate, [entity_of(op.world, token)])
    assert op.reads(token, "secret/data/batch/db")
    op.apply(action)
    assert not op.reads(token, "secret/data/batch/db")
    assert op.reads(token, "secret/data/web/db")
    op.back(action)
    assert op.reads(token, "secret/data/batch/db")


def test_one_that_stanch_is_in_gives_nothing_or_is_gone_is_said(op: Operator) -> None:
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(group(op.estate, [entity_of(op.world, op.estate.stanch)]))
    with pytest.raises(NothingToDoError):
        op.plan(group(op.estate, [], ()))
    with pytest.raises(TargetGoneError):
        op.plan(SuspendGroup(site.NAME, "00000000-0000-0000-0000-000000000000"))
