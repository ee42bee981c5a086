"""What a timestamping authority is: a root, a certificate and key under it, and its last answer.

FOLDER/root.pem tsa.pem    what clients pin
       tsa.key             0600; the root's key is thrown away once it has signed
       last.json           serial number and time of the last answer, so that neither comes again
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path  # noqa: TC003

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Identity:
    """An authority's certificate, its root's, and its P-384 key."""

    root: x509.Certificate
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


def create(folder: Path, name: str, begin: datetime, end: datetime | None = None) -> Identity:
    """Make an authority in the new folder; its certificate holds from `begin` for ten years.

    `end` None is those ten years. The root holds a year longer on both sides.
    """
    folder.mkdir(mode=0o700, parents=True)
    root_key, key = (ec.generate_private_key(ec.SECP384R1()) for _ in range(2))
    end = end or begin + 10 * YEAR
    root_name = _name(f"{name} root")
    root = (
        _certificate(root_name, root_name, root_key.public_key(), begin - YEAR, end + YEAR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .sign(root_key, hashes.SHA384())
    )
    # RFC 3161, 2.3: the one purpose of its key is timestamping, and that is critical.
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = (
        _certificate(_name(name), root_name, key.public_key(), begin, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(purpose, critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, hashes.SHA384())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(folder / "tsa.key", private, 0o600)
    _write(folder / "root.pem", root.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(folder / "tsa.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return Identity(root, certificate, key)


def load(folder: Path) -> Identity:
    """Return the authority that `create` made in the folder."""
    key = serialization.load_pem_private_key((folder / "tsa.key").read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{folder / 'tsa.key'} is no EC key; make the authority anew")
    root, certificate = (
        x509.load_pem_x509_certificate((folder / name).read_bytes())
        for name in ("root.pem", "tsa.pem")
    )
    return Identity(root, certificate, key)


@dataclass(slots=True)
class Last:
    """The last answer: its serial number from 1, and its time. Kept in a file, one writer."""

    path: Path
    serial: int = 0
    at: datetime | None = None

    def __post_init__(self) -> None:
        if self.path.exists():
            kept = json.loads(self.path.read_text())
            self.serial, self.at = kept["serial"], datetime.fromisoformat(kept["at"])

    def follow(self, now: datetime) -> int | None:
        """Return the next serial number, safely kept; None where the clock went back."""
        if self.at is not None and now < self.at:
            return None
        serial = self.serial + 1
        late = self.path.with_suffix(".new")
        kept = json.dumps({"serial": serial, "at": now.astimezone(UTC).isoformat()})
        with late.open("w") as file:
            file.write(kept)
            file.flush()
            os.fsync(file.fileno())
        late.replace(self.path)
        self.serial, self.at = serial, now
        return serial


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    begin: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not sign,
        crl_sign=not sign,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
