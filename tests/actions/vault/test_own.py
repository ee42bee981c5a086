"""Whatever names Stanch's own login, token, entity or policy is spared, and nothing else."""

import pytest

from actions.errors import UnfitError
from actions.vault.own import Own, own
from tests.actions.vault import site
from tests.actions.vault.operating import Operator

PATHS = {
    "auth/stanch/login": "auth/stanch",
    "auth/team/a/stanch/login": "auth/team/a/stanch",
    "auth/people/login/stanch": "auth/people",
    "auth/token/create": "auth/token",
}


def at(path: str, role: str = "stanch") -> Own:
    return Own(site.NAME, "acc", "ent", frozenset({"stanch", "default"}), path, role)


@pytest.mark.parametrize(("path", "mount"), PATHS.items())
def test_the_mount_is_told_from_where_the_token_came(path: str, mount: str) -> None:
    assert at(path).mount == mount


@pytest.mark.parametrize("path", PATHS)
def test_every_prefix_of_its_path_is_spared_and_no_neighbour(path: str) -> None:
    parts = path.split("/")
    for end in range(len(parts) + 1):
        for prefix in ("/".join(parts[:end]), "/".join(parts[:end]) + "/"):
            with pytest.raises(UnfitError, match="Stanch itself"):
                at(path).spare_prefix(prefix)
    for other in ("database", "auth/approle", f"{path}x", path[:-1], f"{path}/h0a"):
        at(path).spare_prefix(other)


def test_each_thing_of_its_own_is_spared_and_others_are_not() -> None:
    ours = at("auth/stanch/login")
    for spared in (
        lambda: ours.spare_token("acc"),
        lambda: ours.spare_entity("ent"),
        lambda: ours.spare_policy("default"),
        lambda: ours.spare_mount("auth/stanch/"),
        lambda: ours.spare_mount("auth/token"),
        lambda: ours.spare_login("auth/stanch", "stanch"),
        lambda: ours.spare_login("auth/stanch", ""),
    ):
        with pytest.raises(UnfitError, match="Vault prod covers Stanch itself"):
            spared()
    ours.spare_token("other")
    ours.spare_entity("")
    ours.spare_policy("web")
    ours.spare_mount("auth/approle")
    ours.spare_login("auth/stanch", "web")
    ours.spare_login("auth/approle", "stanch")


def test_it_is_read_from_the_token_that_acts(op: Operator) -> None:
    told = op.world.client(op.estate.stanch).auth.token.lookup_self()["data"]
    ours = own(op.p)
    assert (ours.accessor, ours.entity) == (told["accessor"], told["entity_id"])
    assert (ours.mount, ours.role, ours.vault) == ("auth/stanch", "stanch", site.NAME)
    assert ours.policies == {"default", "stanch"}


def test_policies_that_come_of_its_entity_are_its_own_too(op: Operator) -> None:
    entity = own(op.p).entity
    op.estate.root.secrets.identity.update_entity(entity, policies=["by-entity"])
    assert "by-entity" in own(op.p).policies
