"""Tokens are looked for while they come and go."""

import pytest
from hvac import exceptions

from actions.vault.token_search import left_behind, tokens
from playbooks.drills.range.vault.faults import CallBack, Refuse
from tests.actions.vault.operating import Operator


def test_one_that_ends_meanwhile_is_passed_over(op: Operator) -> None:
    ending = op.token("web")
    accessor = op.world.client(ending).auth.token.lookup_self()["data"]["accessor"]

    def end() -> None:
        op.estate.root.auth.token.revoke_accessor(accessor)

    op.world.inject(CallBack(end), "POST", "auth/token/lookup-accessor")
    found = {token["accessor"] for token in tokens(op.p)}
    assert accessor not in found
    assert len(found) == 2  # Stanch's and the root's


def test_one_that_is_refused_to_us_is_not_passed_over(op: Operator) -> None:
    op.world.inject(Refuse(403, "permission denied"), "POST", "auth/token/lookup-accessor")
    with pytest.raises(exceptions.Forbidden):
        list(tokens(op.p))


def test_logins_are_orphans_and_were_left_by_nobody() -> None:
    assert not left_behind({"orphan": True, "path": "auth/approle/login"})
    assert left_behind({"orphan": True, "path": "auth/token/create"})
    assert left_behind({"orphan": True, "path": "auth/token/create-orphan"})
    assert not left_behind({"orphan": False, "path": "auth/token/create"})
