"""Tokens that are revoked end with their children; orphans that live on are named."""

import pytest

from actions.errors import NothingToDoError, UnfitError
from actions.vault.revoke_tokens import RevokeTokens
from tests.actions.vault import site
from tests.actions.vault.operating import Operator


def accessor(op: Operator, token: str) -> str:
    return str(op.world.client(token).auth.token.lookup_self()["data"]["accessor"])


def arrange(world, estate):
    for _ in range(3):
        site.log_in(world, estate.apps["web"])
    return RevokeTokens(site.NAME, mount="approle", role="web")


def test_those_of_one_role_end_and_those_of_another_do_not(op: Operator) -> None:
    web = [site.log_in(op.world, op.estate.apps["web"]) for _ in range(2)]
    batch = site.log_in(op.world, op.estate.apps["batch"])
    op.apply(RevokeTokens(site.NAME, mount="approle", role="web"))
    assert [op.reads(t, "secret/data/web/db") for t in web] == [False, False]
    assert op.reads(batch, "secret/data/batch/db")
    assert site.works(op.world, op.estate.apps["web"]), "logging in is another matter"


def test_all_of_a_mount_and_of_an_entity_end(op: Operator) -> None:
    tokens = {app: site.log_in(op.world, login) for app, login in op.estate.apps.items()}
    told = op.world.client(tokens["web"]).auth.token.lookup_self()["data"]
    op.apply(RevokeTokens(site.NAME, entity=told["entity_id"]))
    assert not op.reads(tokens["web"], "secret/data/web/db")
    assert op.reads(tokens["batch"], "secret/data/batch/db")
    op.apply(RevokeTokens(site.NAME, mount="approle"))
    assert not op.reads(tokens["batch"], "secret/data/batch/db")


def test_children_go_with_it_and_orphans_are_named(op: Operator) -> None:
    thief = op.token("stanch")
    child, orphan = (
        op.world.client(thief).auth.token.create(policies=["web"], no_parent=alone)["auth"]
        for alone in (False, True)
    )
    applied = op.apply(RevokeTokens(site.NAME, (accessor(op, thief),)))
    assert not op.reads(child["client_token"], "secret/data/web/db")
    assert op.reads(orphan["client_token"], "secret/data/web/db")
    assert applied.after == {"orphans": [orphan["accessor"]]}


def test_many_are_revoked_in_parts_and_each_list_has_a_name_of_its_own(
    op: Operator, monkeypatch
) -> None:
    monkeypatch.setattr(RevokeTokens, "part", 2)
    made = [op.token("web") for _ in range(5)]
    action = RevokeTokens(site.NAME, tuple(accessor(op, t) for t in made))
    op.apply(action)
    assert not any(op.reads(t, "secret/data/web/db") for t in made)
    assert action.target != RevokeTokens(site.NAME, action.accessors[1:]).target
    assert action.accessors[0] in RevokeTokens(site.NAME, action.accessors[:1]).target


def test_stanchs_own_token_is_spared_by_every_way_to_name_it(op: Operator) -> None:
    told = op.p.client.auth.token.lookup_self()["data"]
    for named in (
        RevokeTokens(site.NAME, (told["accessor"],)),
        RevokeTokens(site.NAME, mount="stanch"),
        RevokeTokens(site.NAME, mount="stanch", role="stanch"),
        RevokeTokens(site.NAME, entity=told["entity_id"]),
    ):
        with pytest.raises(UnfitError, match="covers Stanch itself"):
            op.plan(named)
    assert op.reads(op.estate.stanch, "secret/data/web/db")


def test_naming_none_or_none_that_lives_is_said(op: Operator) -> None:
    with pytest.raises(UnfitError, match="no token is named"):
        op.plan(RevokeTokens(site.NAME))
    with pytest.raises(NothingToDoError):
        op.plan(RevokeTokens(site.NAME, ("no-such-accessor",)))
