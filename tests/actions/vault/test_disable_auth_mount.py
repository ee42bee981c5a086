"""A way of logging in that is taken away is gone with its tokens, and Stanch's own is not."""

import pytest

from actions.errors import NothingToDoError, UnfitError
from actions.vault.disable_auth_mount import DisableAuthMount
from tests.actions.vault import site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    estate.root.sys.enable_auth_method("userpass", path="backdoor", description="support")
    return DisableAuthMount(site.NAME, "backdoor")


def test_its_tokens_end_and_the_neighbours_do_not(op: Operator) -> None:
    action, root = arrange(op.world, op.estate), op.estate.root
    root.write("auth/backdoor/users/eve", password="canary-pass", token_policies=["web"])
    token = op.world.client().auth.userpass.login(
        "eve", "canary-pass", use_token=False, mount_point="backdoor"
    )["auth"]["client_token"]
    assert op.reads(token, "secret/data/web/db")
    applied = op.apply(action)
    assert "backdoor/" not in applied.after["mounts"]
    assert not op.reads(token, "secret/data/web/db")
    assert site.works(op.world, op.estate.apps["web"])
    found = op.journal[f"disable_auth_mount/{action.target}"].plan.before["mount"]
    assert (found["type"], found["description"]) == ("userpass", "support")


@pytest.mark.parametrize("mount", ["stanch", "token"])
def test_where_stanch_logs_in_and_what_it_lives_by_stay(op: Operator, mount: str) -> None:
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(DisableAuthMount(site.NAME, mount))


def test_what_is_not_there_is_said(op: Operator) -> None:
    with pytest.raises(NothingToDoError):
        op.plan(DisableAuthMount(site.NAME, "none"))
