"""Off this machine, only a server that proves its name by a trusted certificate gets a password."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from evidence import ledger
from tests.postgres import server

NAME = "db.example"


def certificate(name: str) -> tuple[bytes, bytes]:
    """Return a key and a certificate that vouches for itself, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem, made.public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def remote(postgres_server):
    """A server with a certificate for NAME, and that certificate."""
    with server() as postgres:
        owner = postgres.folder.stat()
        key, cert = certificate(NAME)
        for file, content in (("server.key", key), ("server.crt", cert)):
            path = postgres.folder / "data" / file
            path.write_bytes(content)
            path.chmod(0o600)
            os.chown(path, owner.st_uid, owner.st_gid)
        postgres.execute("ALTER SYSTEM SET ssl = on")
        postgres.stop()
        postgres.start()
        yield postgres, cert


def answered(url: str) -> str:
    """Connect as to a server elsewhere, though it is here; return the TLS version it speaks."""
    engine = ledger.postgres_engine(f"{url}&hostaddr=127.0.0.1")
    try:
        with engine.connect() as conn:
            query = text("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            return str(conn.scalar(query))
    finally:
        engine.dispose()


def trusting(tmp_path: Path, cert: bytes) -> str:
    path = tmp_path / "trusted.crt"
    path.write_bytes(cert)
    return str(path)


def test_the_server_that_the_name_stands_for_is_spoken_to(remote, tmp_path):
    postgres, cert = remote
    url = postgres.url().replace("127.0.0.1", NAME)
    assert answered(f"{url}?sslrootcert={trusting(tmp_path, cert)}").startswith("TLSv1.")


@pytest.mark.parametrize(
    ("name", "said"), [("other.example", "does not match host name"), (NAME, "verify failed")]
)
def test_no_other_server_is_spoken_to(remote, tmp_path, name, said):
    postgres, cert = remote
    trusted = cert if name != NAME else certificate(NAME)[1]
    url = postgres.url().replace("127.0.0.1", name)
    with pytest.raises(OperationalError, match=said):
        answered(f"{url}?sslrootcert={trusting(tmp_path, trusted)}")


def test_no_server_without_tls_is_spoken_to(postgres_server, remote, tmp_path):
    url = postgres_server.url().replace("127.0.0.1", NAME)
    with pytest.raises(OperationalError, match="does not support SSL"):
        answered(f"{url}?sslrootcert={trusting(tmp_path, remote[1])}")


def test_without_an_authority_to_trust_nothing_is_spoken_to(remote, tmp_path):
    url = remote[0].url().replace("127.0.0.1", NAME)
    with pytest.raises(OperationalError, match="root certificate"):
        answered(f"{url}?sslrootcert={tmp_path / 'none.crt'}")
