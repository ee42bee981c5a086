"""A login that is blocked fails for everybody, and works again as before."""

import pytest
from hvac import exceptions

from actions.errors import TargetGoneError, UnfitError
from actions.vault.block_login import NOWHERE, BlockLogin
from tests.actions.vault import site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    return BlockLogin(site.NAME, "approle", "web")


def test_the_role_is_blocked_from_everywhere_and_nobody_else(op: Operator) -> None:
    action, apps = arrange(op.world, op.estate), op.estate.apps
    token = site.log_in(op.world, apps["web"])
    op.apply(action)
    for address in ("127.0.0.1", "10.1.2.3", "2001:db8::1"):
        with pytest.raises(exceptions.InvalidRequest, match="CIDR"):
            op.world.client(address=address).auth.approle.login(
                apps["web"].role_id, apps["web"].secret_id, use_token=False
            )
    assert site.works(op.world, apps["batch"])
    assert op.reads(token, "secret/data/web/db"), "tokens that were given out are another matter"
    op.back(action)
    assert site.works(op.world, apps["web"])


def test_bounds_that_were_there_come_back(op: Operator) -> None:
    blocks = ["10.0.0.0/8", "127.0.0.1/32"]
    op.estate.root.auth.approle.create_or_update_approle("web", secret_id_bound_cidrs=blocks)
    action = arrange(op.world, op.estate)
    before = dict(action.read(op.p))
    op.apply(action)
    assert action.read(op.p) == dict.fromkeys(before, NOWHERE)
    op.back(action)
    assert (
        action.read(op.p)
        == before
        == {
            "secret_id_bound_cidrs": blocks,
            "token_bound_cidrs": [],
        }
    )


def test_a_secret_id_that_is_issued_meanwhile_works_once_it_is_given_back(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    op.apply(action)
    made = op.estate.root.auth.approle.generate_secret_id("web")["data"]
    new = site.Login(
        "web", op.estate.apps["web"].role_id, made["secret_id"], made["secret_id_accessor"]
    )
    assert not site.works(op.world, new)
    op.back(action)
    assert site.works(op.world, new)


def test_a_user_with_a_password_is_blocked_and_the_password_stays(op: Operator) -> None:
    root = op.estate.root
    root.sys.enable_auth_method("userpass")
    root.auth.userpass.create_or_update_user("eve", "canary-pass", policies=["web"])
    action = BlockLogin(site.NAME, "userpass", "eve", "userpass")

    def logs_in() -> bool:
        try:
            op.world.client().auth.userpass.login("eve", "canary-pass", use_token=False)
        except exceptions.VaultError:
            return False
        return True

    assert logs_in()
    op.apply(action)
    assert not logs_in()
    op.back(action)
    assert logs_in()


def test_a_block_written_without_its_mask_is_the_same(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    assert action.same("token_bound_cidrs", ["127.0.0.1"], ["127.0.0.1/32"])
    assert action.same("token_bound_cidrs", ["::1/128", "10.0.0.0/8"], ["10.0.0.0/8", "::1"])
    assert not action.same("token_bound_cidrs", [], NOWHERE)


def test_stanch_itself_other_kinds_and_what_is_gone_are_refused(op: Operator) -> None:
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(BlockLogin(site.NAME, "stanch", "stanch"))
    with pytest.raises(UnfitError, match="one of approle, userpass"):
        op.plan(BlockLogin(site.NAME, "ldap", "eve", "ldap"))
    with pytest.raises(TargetGoneError, match="auth/approle/role/none"):
        op.plan(BlockLogin(site.NAME, "approle", "none"))
