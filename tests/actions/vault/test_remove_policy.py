"""A policy that is taken away grants nothing from then on, and comes back as it was written."""

import pytest

from actions.errors import NothingToDoError, UnfitError
from actions.vault.remove_policy import RemovePolicy
from tests.actions.vault import site
from tests.actions.vault.operating import Operator

THEIRS = '# mine now\npath "secret/*" { capabilities = ["read", "list"] }\n'


def arrange(world, estate):
    estate.root.sys.create_or_update_acl_policy("backdoor", THEIRS)
    return RemovePolicy(site.NAME, "backdoor")


def test_it_grants_nothing_any_more_to_tokens_that_have_it(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    thief = op.token("backdoor")
    assert op.reads(thief, "secret/data/web/db")
    op.apply(action)
    assert not op.reads(thief, "secret/data/web/db")
    op.back(action)
    assert op.reads(thief, "secret/data/web/db")
    assert op.estate.root.sys.read_acl_policy("backdoor")["data"]["policy"] == THEIRS


def test_what_stanch_lives_by_is_not_taken_away(op: Operator) -> None:
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(RemovePolicy(site.NAME, "stanch"))


def test_what_vault_keeps_or_never_had_is_said(op: Operator) -> None:
    for name in ("root", "default"):
        with pytest.raises(UnfitError, match="Vault itself keeps"):
            op.plan(RemovePolicy(site.NAME, name))
    with pytest.raises(NothingToDoError, match="no policy nowhere"):
        op.plan(RemovePolicy(site.NAME, "nowhere"))
