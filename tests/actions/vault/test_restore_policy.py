"""A policy that an attacker changed says again what it is known to have said."""

import pytest

from actions.errors import NothingToDoError, UnfitError
from actions.vault.restore_policy import RestorePolicy
from tests.actions.vault import site
from tests.actions.vault.operating import Operator

WIDE = 'path "secret/*" { capabilities = ["read", "list"] }'


TEXT = site.READS_ITS_SECRET.format("web")


def arrange(world, estate):
    estate.root.sys.create_or_update_acl_policy("web", WIDE)
    return RestorePolicy(site.NAME, "web", TEXT)


def test_tokens_are_held_to_the_text_again(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    thief = op.token("web")
    assert op.reads(thief, "secret/data/other")
    op.apply(action)
    assert not op.reads(thief, "secret/data/other")
    assert op.reads(thief, "secret/data/web/db")


def test_a_policy_that_was_deleted_is_there_again(op: Operator) -> None:
    op.estate.root.sys.delete_acl_policy("web")
    applied = op.apply(RestorePolicy(site.NAME, "web", TEXT))
    assert (applied.before, applied.after) == ({"policy": None}, {"policy": TEXT})


def test_what_stanch_lives_by_or_says_so_already_is_left_alone(op: Operator) -> None:
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(RestorePolicy(site.NAME, "stanch", WIDE))
    with pytest.raises(NothingToDoError):
        op.plan(RestorePolicy(site.NAME, "web", TEXT))
