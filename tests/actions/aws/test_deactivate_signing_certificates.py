"""Every signing certificate of the user is off, and those that were on come back."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from actions.aws.deactivate_signing_certificates import DeactivateSigningCertificates
from actions.errors import NothingToDoError
from tests.actions.aws.people import user


def arrange(world, estate):
    who = user(world)
    upload(world, who)
    upload(world, who)
    return DeactivateSigningCertificates(who)


def upload(world, who) -> str:
    made = world.client("iam", world.admin).upload_signing_certificate(
        UserName=who.name, CertificateBody=certificate()
    )
    return made["Certificate"]["CertificateId"]


def certificate() -> str:
    """A new self-signed certificate, PEM."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.NameAttribute(NameOID.COMMON_NAME, "x"),
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([name]))
        .issuer_name(x509.Name([name]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def status(iam, who) -> dict[str, str]:
    found = iam.list_signing_certificates(UserName=who.name)["Certificates"]
    return {each["CertificateId"]: each["Status"] for each in found}


def test_all_stop_and_only_what_was_on_comes_back(world, op, iam):
    who = user(world)
    on, off = upload(world, who), upload(world, who)
    iam.update_signing_certificate(UserName=who.name, CertificateId=off, Status="Inactive")
    action = DeactivateSigningCertificates(who)
    op.apply(action)
    assert status(iam, who) == {on: "Inactive", off: "Inactive"}
    op.undo(action)
    assert status(iam, who) == {on: "Active", off: "Inactive"}


def test_without_one_there_is_nothing_to_do(world, op):
    with pytest.raises(NothingToDoError, match="no active signing certificate"):
        op.apply(DeactivateSigningCertificates(user(world)))
