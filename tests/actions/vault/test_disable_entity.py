"""A disabled entity does nothing with any of its tokens, and all of them work again after."""

import pytest

from actions.errors import TargetGoneError, UnfitError
from actions.vault.disable_entity import DisableEntity
from tests.actions.vault import site
from tests.actions.vault.operating import Operator


def entity_of(world, token):
    return world.client(token).auth.token.lookup_self()["data"]["entity_id"]


def arrange(world, estate):
    token = site.log_in(world, estate.apps["web"])
    return DisableEntity(site.NAME, entity_of(world, token))


def test_its_tokens_and_logins_stop_and_no_others(op: Operator) -> None:
    tokens = {app: site.log_in(op.world, login) for app, login in op.estate.apps.items()}
    entity = entity_of(op.world, tokens["web"])
    policies = {"policies": ["web"], "metadata": {"team": "shop"}}
    op.estate.root.secrets.identity.update_entity(entity, **policies)
    action = DisableEntity(site.NAME, entity)
    op.apply(action)
    assert not op.reads(tokens["web"], "secret/data/web/db")
    assert not site.works(op.world, op.estate.apps["web"])
    assert op.reads(tokens["batch"], "secret/data/batch/db")
    op.back(action)
    assert op.reads(tokens["web"], "secret/data/web/db")
    told = op.estate.root.secrets.identity.read_entity(entity)["data"]
    assert {k: told[k] for k in policies} == policies


def test_stanch_itself_and_what_is_gone_are_refused(op: Operator) -> None:
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(DisableEntity(site.NAME, entity_of(op.world, op.estate.stanch)))
    with pytest.raises(TargetGoneError, match="does not exist"):
        op.plan(DisableEntity(site.NAME, "00000000-0000-0000-0000-000000000000"))
