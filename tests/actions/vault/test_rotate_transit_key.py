"""A rotated key encrypts with a new version, and still decrypts what the old one encrypted."""

import pytest

from actions.errors import NothingToDoError, TargetGoneError
from actions.vault.rotate_transit_key import RotateTransitKey
from tests.actions.vault import engines, site
from tests.actions.vault.operating import Operator

ACTION = RotateTransitKey(site.NAME, "transit", "orders", 1)
TEXT = "aGVsbG8="


def arrange(world, estate):
    engines.transit(estate)
    return ACTION


def test_what_comes_now_is_under_the_new_version(op: Operator) -> None:
    transit = engines.transit(op.estate)
    old = transit.encrypt_data("orders", TEXT)["data"]["ciphertext"]
    assert op.apply(ACTION).after == {"latest_version": 2}
    new = transit.encrypt_data("orders", TEXT)["data"]["ciphertext"]
    assert (old[:9], new[:9]) == ("vault:v1:", "vault:v2:")
    assert transit.decrypt_data("orders", old)["data"]["plaintext"] == TEXT


def test_what_was_rotated_already_or_is_gone_is_said(op: Operator) -> None:
    engines.transit(op.estate, versions=2)
    with pytest.raises(NothingToDoError):
        op.plan(ACTION)
    with pytest.raises(TargetGoneError):
        op.plan(RotateTransitKey(site.NAME, "transit", "none", 1))
