"""A root generation that is cancelled makes no token, and one that came after is left alone."""

import pytest
from hvac import exceptions

from actions.errors import ApprovalMissingError, NothingToDoError
from actions.vault.cancel_root_generation import CancelRootGeneration
from tests.actions.vault import site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    started = estate.root.sys.start_root_token_generation()
    return CancelRootGeneration(site.NAME, started["nonce"])


def test_the_shares_that_were_given_are_forgotten(op: Operator) -> None:
    action, root = arrange(op.world, op.estate), op.estate.root
    keys = op.world.unseal_keys
    for key in keys[:2]:
        root.sys.generate_root(key, action.nonce)
    assert op.plan(action).lost[0].startswith("the 2 of 3 key shares")
    assert op.apply(action).after == {"started": False}
    with pytest.raises(exceptions.InvalidRequest, match="no root generation"):
        root.sys.generate_root(keys[2], action.nonce)


def test_another_one_is_left_alone_and_said(op: Operator) -> None:
    action, root = arrange(op.world, op.estate), op.estate.root
    with pytest.raises(ApprovalMissingError):
        op.apply(action, approval=None)
    root.sys.cancel_root_generation()
    other = arrange(op.world, op.estate)
    assert op.apply(action).after == {"started": True}
    assert other.facts(op.p)["nonce"] == other.nonce
    with pytest.raises(NothingToDoError):
        op.plan(CancelRootGeneration(site.NAME, "not-one"))
