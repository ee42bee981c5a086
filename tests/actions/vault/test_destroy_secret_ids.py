"""A secret id that is destroyed logs nobody in; the role's others, when not meant, still do."""

import pytest

from actions.errors import ApprovalMissingError, NothingToDoError, UnfitError
from actions.vault.destroy_secret_ids import DestroySecretIds
from tests.actions.vault import site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    for _ in range(2):
        estate.root.auth.approle.generate_secret_id("web")
    return DestroySecretIds(site.NAME, "approle", "web")


def test_all_of_a_role_are_destroyed_and_none_of_another(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    assert len(op.plan(action).before["accessors"]) == 3
    assert op.apply(action).after == {"left": []}
    assert not site.works(op.world, op.estate.apps["web"])
    assert site.works(op.world, op.estate.apps["batch"])


def test_only_those_that_are_named_are_destroyed(op: Operator) -> None:
    other = op.estate.root.auth.approle.generate_secret_id("web")["data"]["secret_id_accessor"]
    named = op.estate.apps["web"].accessor
    assert op.apply(DestroySecretIds(site.NAME, "approle", "web", (named,))).after == {
        "left": [other]
    }


def test_more_than_one_part_is_done_in_parts(op: Operator, monkeypatch) -> None:
    monkeypatch.setattr(DestroySecretIds, "part", 2)
    for _ in range(6):
        op.estate.root.auth.approle.generate_secret_id("web")
    assert op.apply(DestroySecretIds(site.NAME, "approle", "web")).after == {"left": []}


def test_it_needs_an_approval_and_something_to_destroy_that_is_not_stanchs(op: Operator) -> None:
    with pytest.raises(ApprovalMissingError):
        op.apply(arrange(op.world, op.estate), approval=None)
    with pytest.raises(NothingToDoError):
        op.plan(DestroySecretIds(site.NAME, "approle", "web", ("no-such-accessor",)))
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(DestroySecretIds(site.NAME, "stanch", "stanch"))
