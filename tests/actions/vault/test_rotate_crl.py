"""The CRL that is served after is a newer one, with all that is revoked in it."""

import pytest

from actions.errors import NothingToDoError, TargetGoneError, UnfitError
from actions.vault.rotate_crl import RotateCrl
from tests.actions.vault import engines, site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    engines.pki(estate)
    serial = engines.certificate(estate)
    estate.root.secrets.pki.revoke_certificate(serial)
    return RotateCrl(site.NAME, "pki", 2)


def test_it_is_newer_and_lists_what_is_revoked(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    assert op.plan(action).before == {"crl_number": 2, "revoked": 1}
    assert op.apply(action).after == {"crl_number": 3, "revoked": 1}


def test_what_was_rotated_already_is_not_there_or_is_no_crl_is_said(
    op: Operator, monkeypatch
) -> None:
    arrange(op.world, op.estate)
    with pytest.raises(NothingToDoError):
        op.plan(RotateCrl(site.NAME, "pki", 1))
    with pytest.raises(TargetGoneError):
        op.plan(RotateCrl(site.NAME, "none", 1))
    pki = type(op.p.client.secrets.pki)
    monkeypatch.setattr(pki, "read_crl", lambda self, mount_point: "not a CRL")
    with pytest.raises(UnfitError, match="by hand"):
        op.plan(RotateCrl(site.NAME, "pki", 1))
