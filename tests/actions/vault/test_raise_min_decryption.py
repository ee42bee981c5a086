"""What is older than the lowest version is refused, and decrypts again once that is undone."""

import pytest
from hvac import exceptions

from actions.errors import NothingToDoError, TargetGoneError, UnfitError
from actions.vault.raise_min_decryption import RaiseMinDecryption
from tests.actions.vault import engines, site
from tests.actions.vault.operating import Operator

ACTION = RaiseMinDecryption(site.NAME, "transit", "orders", 3)
TEXT = "aGVsbG8="


def arrange(world, estate):
    engines.transit(estate, versions=3)
    return ACTION


def test_the_old_is_refused_what_was_rewrapped_is_not(op: Operator) -> None:
    transit = engines.transit(op.estate)
    old = transit.encrypt_data("orders", TEXT)["data"]["ciphertext"]
    for _ in range(2):
        transit.rotate_key("orders")
    rewrapped = transit.rewrap_data("orders", old)["data"]["ciphertext"]
    op.apply(ACTION)
    with pytest.raises(exceptions.InvalidRequest, match="too old"):
        transit.decrypt_data("orders", old)
    assert transit.decrypt_data("orders", rewrapped)["data"]["plaintext"] == TEXT
    op.back(ACTION)
    assert transit.decrypt_data("orders", old)["data"]["plaintext"] == TEXT


@pytest.mark.parametrize(("encrypts", "then"), [(0, 0), (2, 3), (3, 3), (4, 4)])
def test_the_version_that_encrypts_is_never_below_the_lowest(
    op: Operator, encrypts: int, then: int
) -> None:
    engines.transit(op.estate, versions=4)
    op.estate.root.write("transit/keys/orders/config", min_encryption_version=encrypts)
    before = ACTION.read(op.p)
    assert op.apply(ACTION).after == {
        "versions": {"min_decryption_version": 3, "min_encryption_version": then}
    }
    op.back(ACTION)
    assert ACTION.read(op.p) == before


def test_what_cannot_be_or_is_so_already_is_said(op: Operator) -> None:
    engines.transit(op.estate, versions=2)
    with pytest.raises(UnfitError, match="up to 2, not 3"):
        op.plan(ACTION)
    with pytest.raises(NothingToDoError):
        op.plan(RaiseMinDecryption(site.NAME, "transit", "orders", 1))
    with pytest.raises(TargetGoneError):
        op.plan(RaiseMinDecryption(site.NAME, "transit", "none", 1))
