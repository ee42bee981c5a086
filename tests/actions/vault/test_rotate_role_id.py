"""After rotation the old role id fits nothing, and the journal does not hold the new one."""

import pytest
from hvac import exceptions

from actions.errors import TargetGoneError, UnfitError
from actions.vault.rotate_role_id import RotateRoleId
from tests.actions.vault import site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    return RotateRoleId(site.NAME, "approle", "web")


def test_the_old_role_id_logs_nobody_in_and_the_new_one_does(op: Operator) -> None:
    old = op.estate.apps["web"]
    op.apply(arrange(op.world, op.estate))
    with pytest.raises(exceptions.InvalidRequest):
        site.log_in(op.world, old)
    new = op.estate.root.auth.approle.read_role_id("web")["data"]["role_id"]
    assert site.works(op.world, site.Login("web", new, old.secret_id, old.accessor))
    assert new not in str(op.journal.rows)
    # Who reads the journal knows how the id begins, and has all of its chance still to guess.
    mark = op.journal[f"rotate_role_id/{site.NAME}/vault/auth/approle/web"].mark
    assert len(new.removeprefix(f"stanch-{mark}-")) >= 24


def test_stanch_itself_and_what_is_gone_are_refused(op: Operator) -> None:
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(RotateRoleId(site.NAME, "stanch", "stanch"))
    with pytest.raises(TargetGoneError):
        op.plan(RotateRoleId(site.NAME, "approle", "none"))
