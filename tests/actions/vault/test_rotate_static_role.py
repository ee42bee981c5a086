"""A static role's old password fits nothing after, and the new one is read from Vault."""

import json

import pytest

from actions.errors import NothingToDoError, TargetGoneError
from actions.vault.rotate_static_role import RotateStaticRole
from tests.actions.vault import engines, site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    engines.database(estate)
    told = estate.root.secrets.database.read_static_role("reporting")["data"]
    world.tick(60)  # a rotation is told to the second or finer, by its time
    return RotateStaticRole(site.NAME, "database", "reporting", told["last_vault_rotation"])


def test_the_old_password_fails_and_the_new_one_is_in_vault_alone(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    server = op.world.database(engines.URL)
    old = server.accounts["reporting"]
    op.apply(action)
    new = op.estate.root.secrets.database.get_static_credentials("reporting")["data"]["password"]
    assert not server.log_in("reporting", old)
    assert server.log_in("reporting", new)
    assert new not in json.dumps(op.journal.rows)
    with pytest.raises(NothingToDoError):
        op.plan(action)


def test_what_is_gone_is_said(op: Operator) -> None:
    engines.database(op.estate)
    with pytest.raises(TargetGoneError):
        op.plan(RotateStaticRole(site.NAME, "database", "none", ""))
