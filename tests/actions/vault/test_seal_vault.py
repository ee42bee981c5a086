"""Sealing takes two approvals, and then nobody gets anything out."""

import pytest

from actions.errors import ApprovalMissingError, NothingToDoError
from actions.vault.seal_vault import SealVault
from tests.actions.vault import site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    return SealVault(site.NAME, seconded="approval-0")


def test_nobody_gets_anything_out_until_it_is_unsealed(op: Operator) -> None:
    plan = op.plan(arrange(op.world, op.estate))
    assert plan.lost[0].startswith("it opens again only by 3 of 5 key holders")
    assert op.apply(arrange(op.world, op.estate)).after == {"sealed": True}
    assert not site.works(op.world, op.estate.apps["batch"])
    with pytest.raises(NothingToDoError):
        op.plan(arrange(op.world, op.estate))


@pytest.mark.parametrize("seconded", ["", "approval-1"])
def test_one_approval_alone_does_not_seal(op: Operator, seconded: str) -> None:
    with pytest.raises(ApprovalMissingError, match="two approvals"):
        op.apply(SealVault(site.NAME, seconded))
    assert site.works(op.world, op.estate.apps["batch"])


def test_a_second_without_a_first_does_not_seal(op: Operator) -> None:
    with pytest.raises(ApprovalMissingError, match="Ask for one"):
        op.apply(arrange(op.world, op.estate), approval=None)
    assert site.works(op.world, op.estate.apps["batch"])


def test_the_second_question_is_another_one() -> None:
    assert SealVault(site.NAME).target != SealVault(site.NAME, "Q-0001").target
