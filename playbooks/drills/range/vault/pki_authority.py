"""A certificate authority in memory: real X.509, from a seeded rng (RFC 5280, RFC 8410)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

BACKDATED = timedelta(seconds=30)


@dataclass(slots=True)
class Issued:
    """One certificate. `revoked` is when it was (epoch seconds)."""

    pem: str
    serial: str
    expiration: float
    revoked: float | None = None


@dataclass(slots=True)
class Authority:
    """The key and certificate of a root, and all that it has signed by serial number."""

    secret: bytes = field(repr=False)
    root: Issued
    issued: dict[str, Issued] = field(default_factory=dict)
    crl_number: int = 0
    crl: bytes = b""
    crl_seconds: int = 72 * 3600

    def sign(
        self, serial: int, common_name: str, names: list[str], secret: bytes, now: float, ttl: int
    ) -> Issued:
        """A leaf certificate for these names, for the public half of `secret`."""
        root = x509.load_pem_x509_certificate(self.root.pem.encode())
        builder = _builder(common_name, root.subject, serial, secret, now, ttl)
        sans = x509.SubjectAlternativeName([x509.DNSName(n) for n in names])
        builder = builder.add_extension(sans, critical=False)
        made = _issued(builder, self.secret)
        self.issued[made.serial] = made
        return made

    def write_crl(self, now: float) -> None:
        """Sign a new list of what is revoked and has not expired."""
        self.crl_number += 1
        at = datetime.fromtimestamp(now, UTC)
        root = x509.load_pem_x509_certificate(self.root.pem.encode())
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(root.subject)
            .last_update(at)
            .next_update(at + timedelta(seconds=self.crl_seconds))
            .add_extension(x509.CRLNumber(self.crl_number), critical=False)
        )
        for one in self.issued.values():
            if one.revoked is not None and one.expiration > now:
                entry = x509.RevokedCertificateBuilder().serial_number(number_of(one.serial))
                revoked = datetime.fromtimestamp(one.revoked, UTC)
                builder = builder.add_revoked_certificate(entry.revocation_date(revoked).build())
        signed = builder.sign(Ed25519PrivateKey.from_private_bytes(self.secret), None)
        self.crl = signed.public_bytes(Encoding.DER)


def new_authority(common_name: str, serial: int, secret: bytes, now: float, ttl: int) -> Authority:
    """A self-signed root."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = _builder(common_name, subject, serial, secret, now, ttl)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    made = Authority(secret, _issued(builder, secret))
    made.issued[made.root.serial] = made.root
    return made


def key_pem(secret: bytes) -> str:
    """An Ed25519 private key (32 bytes) in PKCS #8."""
    key = Ed25519PrivateKey.from_private_bytes(secret)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()


def serial_of(number: int) -> str:
    """A serial number as Vault writes it: pairs of hex digits between colons."""
    text = f"{number:x}"
    text = "0" * (len(text) % 2) + text
    return ":".join(text[i : i + 2] for i in range(0, len(text), 2))


def number_of(serial: str) -> int:
    """A serial number as an integer; between the digits may stand colons or hyphens."""
    return int(serial.replace(":", "").replace("-", ""), 16)


def _builder(
    common_name: str, issuer: x509.Name, serial: int, secret: bytes, now: float, ttl: int
) -> x509.CertificateBuilder:
    at = datetime.fromtimestamp(now, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(issuer)
        .serial_number(serial)
        .public_key(Ed25519PrivateKey.from_private_bytes(secret).public_key())
        .not_valid_before(at - BACKDATED)
        .not_valid_after(at + timedelta(seconds=ttl))
    )


def _issued(builder: x509.CertificateBuilder, secret: bytes) -> Issued:
    made = builder.sign(Ed25519PrivateKey.from_private_bytes(secret), None)
    return Issued(
        made.public_bytes(Encoding.PEM).decode().strip(),
        serial_of(made.serial_number),
        made.not_valid_after_utc.timestamp(),
    )
