"""Certificates that are revoked say so, and stand in the CRL; the others do not."""

import pytest
from cryptography import x509

from actions.errors import ApprovalMissingError, NothingToDoError, UnfitError
from actions.vault.revoke_certificates import RevokeCertificates
from tests.actions.vault import engines, site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    engines.pki(estate)
    serials = tuple(engines.certificate(estate, name) for name in ("www", "api"))
    return RevokeCertificates(site.NAME, "pki", serials)


def test_they_stand_in_the_crl_and_no_others(op: Operator) -> None:
    action = arrange(op.world, op.estate)
    other = engines.certificate(op.estate, "other")
    now = int(op.world.seconds())
    assert op.apply(action).after == {"revoked": dict.fromkeys(action.serials, now)}
    crl = x509.load_pem_x509_crl(op.estate.root.secrets.pki.read_crl().encode())
    listed = {one.serial_number for one in crl}
    assert listed == {int(serial.replace(":", ""), 16) for serial in action.serials}
    assert int(other.replace(":", ""), 16) not in listed


def test_many_are_revoked_in_parts(op: Operator, monkeypatch) -> None:
    monkeypatch.setattr(RevokeCertificates, "part", 1)
    action = arrange(op.world, op.estate)
    assert all(op.apply(action).after["revoked"].values())
    with pytest.raises(NothingToDoError):
        op.plan(action)


def test_an_approval_is_needed_and_a_certificate_that_vault_keeps(op: Operator) -> None:
    with pytest.raises(ApprovalMissingError):
        op.apply(arrange(op.world, op.estate), approval=None)
    with pytest.raises(UnfitError, match="keeps no certificate"):
        op.plan(RevokeCertificates(site.NAME, "pki", ("17:67",)))
