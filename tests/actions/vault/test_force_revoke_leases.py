"""Leases that are forced are gone from Vault, and what they stood for may live on."""

import pytest

from actions.errors import ApprovalMissingError, NothingToDoError, UnfitError
from actions.vault.force_revoke_leases import ForceRevokeLeases
from tests.actions.vault import engines, site
from tests.actions.vault.operating import Operator

ACTION = ForceRevokeLeases(site.NAME, "database/creds/web")


def arrange(world, estate):
    engines.database(estate)
    engines.credentials(estate, 3)
    return ACTION


def test_which_leases_were_abandoned_stands_in_the_plan(op: Operator) -> None:
    engines.database(op.estate)
    leases = engines.credentials(op.estate, 3)
    op.world.database(engines.URL).down = True
    assert op.apply(ACTION).after == {"abandoned": True}
    assert op.journal[f"force_revoke_leases/{ACTION.target}"].plan.before == {
        "leases": sorted(leases)
    }
    living = [n for n in op.world.database(engines.URL).accounts if n.startswith("v-")]
    assert len(living) == 3, "the backend was down: they live, and nobody knows of them"


def test_it_needs_an_approval_and_leases_that_are_not_stanchs(op: Operator) -> None:
    with pytest.raises(ApprovalMissingError):
        op.apply(arrange(op.world, op.estate), approval=None)
    with pytest.raises(NothingToDoError):
        op.plan(ForceRevokeLeases(site.NAME, "aws/creds/none"))
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(ForceRevokeLeases(site.NAME, "auth"))
