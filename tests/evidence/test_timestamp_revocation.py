"""A revoked authority stamps nothing any more; where nobody gives a list, the report says so."""

import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from evidence import timestamp
from evidence.__main__ import main
from evidence.errors import TimestampError
from evidence.timestamp import authority, with_lists
from evidence.timestamp_check import check
from evidence.timestamp_revocation import HARMLESS, known_until, read_lists, refuse_revoked
from evidence.verify import Verdict, verify_bundle
from playbooks.drills.range import tsa, tsa_state
from tests.evidence.forgery import rebag, restate
from tests.evidence.stamping import BEGIN, NONCE, TEXT, Stamper, Stamping, stamping, three_hours

NOW = BEGIN + timedelta(hours=1)
HOUR = timedelta(hours=1)
OPENSSL = shutil.which("openssl")
# One stands in lists of changes alone, which are not read.
REASONS = [None, *(r for r in x509.ReasonFlags if r is not x509.ReasonFlags.remove_from_crl)]


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass(frozen=True)
class Issuer:
    """A root whose key is still there, and the timestamping authority under it."""

    key: ec.EllipticCurvePrivateKey
    root: x509.Certificate
    identity: tsa_state.Identity

    @property
    def pem(self) -> list[bytes]:
        both = (self.identity.certificate, self.root)
        return [one.public_bytes(serialization.Encoding.PEM) for one in both]

    def crl(
        self,
        told: datetime,
        since: datetime | None = None,
        reason: x509.ReasonFlags | None = None,
        *more: tuple[x509.ExtensionType, bool],
        key: ec.EllipticCurvePrivateKey | None = None,
        name: x509.Name | None = None,
    ) -> bytes:
        """Return a list made at `told`, which revokes the authority where `since` says when."""
        made = self._begun(told, name or self.root.subject)
        if since is not None:
            entry = x509.RevokedCertificateBuilder(
                serial_number=self.identity.certificate.serial_number, revocation_date=since
            )
            if reason is not None:
                entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            made = made.add_revoked_certificate(entry.build())
        for extension, critical in more:
            made = made.add_extension(extension, critical)
        signed = made.sign(key or self.key, hashes.SHA384())
        return signed.public_bytes(serialization.Encoding.PEM)

    def listing(self, told: datetime, entry: x509.RevokedCertificate) -> bytes:
        made = self._begun(told, self.root.subject).add_revoked_certificate(entry)
        return made.sign(self.key, hashes.SHA384()).public_bytes(serialization.Encoding.PEM)

    @staticmethod
    def _begun(told: datetime, name: x509.Name) -> x509.CertificateRevocationListBuilder:
        return x509.CertificateRevocationListBuilder(
            issuer_name=name, last_update=told, next_update=told + 24 * HOUR
        )


def issuer(name: str) -> Issuer:
    root_key, key = (ec.generate_private_key(ec.SECP384R1()) for _ in range(2))

    def builder(subject: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(
            issuer_name=named(f"{name} root"),
            subject_name=named(subject),
            public_key=public,
            serial_number=x509.random_serial_number(),
            not_valid_before=BEGIN - 9000 * HOUR,
            not_valid_after=BEGIN + 9000 * HOUR,
        )

    root = (
        builder(f"{name} root", root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(root_key, hashes.SHA384())
    )
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = (
        builder(name, key.public_key())
        .add_extension(purpose, critical=True)
        .sign(root_key, hashes.SHA384())
    )
    return Issuer(root_key, root, tsa_state.Identity(root, certificate, key))


def revocable(site: Stamping, at: int) -> Issuer:
    """Put an authority whose issuer's key is there in the place of one of the site's."""
    old = site.stampers[at]
    made = issuer(old.pinned.name)
    runs = tsa.Authority(made.identity, old.runs.last, old.runs.now, old.runs.policy)
    pinned = authority(old.pinned.name, *made.pem, old.pinned.policy)
    site.stampers[at] = Stamper(runs, pinned, old.folder)
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = stamping(tmp_path_factory.mktemp("site"), timedelta(), timedelta())
    issuers = [revocable(made, at) for at in range(2)]
    three_hours(made)
    made.export()
    yield made, issuers
    made.chamber.engine.dispose()


def judged(site: Stamping, crl: bytes = b"", bundle: str = "bundle") -> Verdict:
    """Return the verdict where the trust input has this list of the first authority."""
    trust = site.trust
    if crl:
        trust["timestamp_authorities"][0]["crl"] = crl.decode()
    return verify_bundle(site.chamber.folder / bundle, trust)


def said(verdict: Verdict) -> str:
    return "\n".join(f"{p.file}: {p.what}" for p in verdict.problems)


LATER = BEGIN + 100 * HOUR


def test_without_a_list_the_report_says_that_revocation_was_not_checked(site, tmp_path, capsys):
    made, _ = site
    verdict = judged(made)
    assert (said(verdict), verdict.timestamped) == ("", True)
    assert [line.partition(":")[0] for line in verdict.revocation] == ["tsa-a", "tsa-b"]
    assert all("revocation not checked" in line for line in verdict.revocation)
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps(made.trust))
    main(["verify", str(made.chamber.folder / "bundle"), "--trust", str(trust)])
    assert "tsa-b: revocation not checked" in capsys.readouterr().out


def test_a_list_from_after_the_tokens_shows_that_none_was_revoked(site):
    made, (first, _) = site
    verdict = judged(made, first.crl(LATER))
    assert (said(verdict), verdict.timestamped) == ("", True)
    assert verdict.revocation[0].startswith("tsa-a: no token of it was revoked")
    assert "not checked" in verdict.revocation[1]


def test_a_list_from_before_a_token_says_nothing_of_it(site):
    made, (first, _) = site
    verdict = judged(made, first.crl(BEGIN))
    assert said(verdict) == ""
    assert "revocation checked up to 2026-11-23T09:00:00.000Z only" in verdict.revocation[0]


def test_tokens_from_after_a_revocation_are_refused_and_those_from_before_hold(site):
    made, (first, _) = site
    superseded = x509.ReasonFlags.superseded
    verdict = judged(made, first.crl(LATER, BEGIN, superseded))
    assert verdict.exit_code == 1
    assert "tsa-a: the certificate of CN=tsa-a was revoked at 2026-11-23T09:00:00" in said(verdict)
    assert all(p.file.endswith("-tsa-a.tsr") for p in verdict.problems)
    assert said(judged(made, first.crl(LATER, LATER - HOUR, superseded))) == ""


@pytest.mark.parametrize("reason", REASONS, ids=[str(getattr(r, "value", r)) for r in REASONS])
@pytest.mark.parametrize("after", [-1, 0, 1], ids=["before", "at", "after"])
def test_only_a_harmless_reason_leaves_older_tokens_good(reason, after):
    made = issuer("tsa")
    lists = read_lists(made.crl(LATER, NOW, reason), [made.root])
    stamped = NOW + after * HOUR
    if reason in HARMLESS and after < 0:
        refuse_revoked([made.identity.certificate, made.root], lists, stamped)
        return
    with pytest.raises(TimestampError, match="was revoked"):
        refuse_revoked([made.identity.certificate, made.root], lists, stamped)


def test_another_certificate_s_revocation_is_nobody_else_s():
    made = issuer("tsa")
    other = replace(made, identity=issuer("tsa").identity)
    lists = read_lists(other.crl(LATER, BEGIN), [made.root])
    refuse_revoked([made.identity.certificate], lists, NOW)


POINT = {
    "full_name": None,
    "relative_name": None,
    "only_contains_user_certs": False,
    "only_contains_ca_certs": False,
    "only_some_reasons": None,
    "indirect_crl": False,
    "only_contains_attribute_certs": False,
}


def point(**said_so: object) -> tuple[x509.ExtensionType, bool]:
    return x509.IssuingDistributionPoint(**(POINT | said_so)), True


CASES = {
    "forged": (lambda i: i.crl(LATER, key=issuer("x").key), "not signed by a certificate"),
    "another-issuer": (lambda i: issuer("x").crl(LATER), "not signed by a certificate"),
    "changes-only": (
        lambda i: i.crl(LATER, None, None, (x509.DeltaCRLIndicator(1), True)),
        "only whole lists",
    ),
    "indirect": (lambda i: i.crl(LATER, None, None, point(indirect_crl=True)), "not a whole one"),
    "some-reasons": (
        lambda i: i.crl(
            LATER, None, None, point(only_some_reasons=frozenset({x509.ReasonFlags.superseded}))
        ),
        "not a whole one",
    ),
    "no-list": (lambda i: b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "malformed"),
    "empty": (lambda i: b"\n", "not CRLs in PEM"),
    "words-around": (lambda i: i.crl(LATER) + b"and so on", "not CRLs in PEM"),
    "one-of-two-forged": (
        lambda i: i.crl(LATER) + i.crl(LATER, key=issuer("x").key),
        "not signed by a certificate",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_list_that_is_not_a_whole_one_of_the_issuer_is_no_trust(site, case):
    made, (first, _) = site
    make, why = CASES[case]
    verdict = judged(made, make(first))
    assert (verdict.exit_code, why in said(verdict)) == (4, True), said(verdict)


def test_a_list_of_other_kinds_of_certificates_tells_nothing():
    made = issuer("tsa")
    certificates = [made.identity.certificate, made.root]
    for pointed, until in (
        (point(only_contains_ca_certs=True), None),
        (point(only_contains_user_certs=True), LATER),
    ):
        lists = read_lists(made.crl(LATER, None, None, pointed), [made.root])
        assert known_until(certificates, lists) == until


def test_a_list_in_the_bundle_counts_too_and_nobody_makes_one_up(site, tmp_path):
    made, (first, second) = site
    revoked = first.crl(LATER, BEGIN)
    was = made.stampers[0]
    made.stampers[0] = Stamper(was.runs, with_lists(was.pinned, revoked), was.folder)
    made.export("listed")
    made.stampers[0] = was
    path = made.chamber.folder / "listed" / "data/time/tsa-a.crl"
    assert path.read_bytes() == revoked
    verdict = judged(made, bundle="listed")
    assert verdict.exit_code == 1
    assert "tsa-a was revoked" in said(verdict)
    path.write_bytes(second.crl(LATER))
    rebag(path.parents[2])
    restate(path.parents[2], made.chamber.signer)
    verdict = judged(made, bundle="listed")
    assert [p.file for p in verdict.problems] == ["data/time/tsa-a.crl"]
    assert verdict.exit_code == 1


def test_no_token_is_taken_from_an_authority_that_is_listed(tmp_path):
    made = issuer("tsa")
    pinned = authority("tsa", *made.pem, tsa.POLICY, made.crl(LATER, BEGIN))
    asked = timestamp.request(TEXT, tsa.POLICY, NONCE)
    runs = tsa.Authority(made.identity, tsa_state.Last(tmp_path / "last"), lambda: NOW)
    with pytest.raises(TimestampError, match="was revoked"):
        check(pinned, TEXT, asked, runs.answer(asked))


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl on this machine")
def test_a_list_that_openssl_made_is_read(tmp_path):
    made = issuer("tsa")
    key = made.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "root.key").write_bytes(key)
    (tmp_path / "root.pem").write_bytes(made.root.public_bytes(serialization.Encoding.PEM))
    serial = f"{made.identity.certificate.serial_number:X}"
    serial = serial.zfill(len(serial) + len(serial) % 2)
    (tmp_path / "index.txt").write_text(
        f"R\t350101000000Z\t261123083000Z,superseded\t{serial}\tunknown\t/CN=tsa\n"
    )
    (tmp_path / "ca.cnf").write_text(
        "[ca]\ndefault_ca = c\n[c]\ndatabase = index.txt\ndefault_md = sha384\n"
        "default_crl_days = 30\n"
    )
    asked = ("ca", "-gencrl", "-config", "ca.cnf", "-cert", "root.pem", "-keyfile", "root.key")
    done = subprocess.run(
        [OPENSSL, *asked, "-out", "list.pem"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lists = read_lists((tmp_path / "list.pem").read_bytes(), [made.root])
    certificates = [made.identity.certificate, made.root]
    refuse_revoked(certificates, lists, datetime(2026, 11, 23, 8, 29, tzinfo=UTC))
    with pytest.raises(TimestampError, match="2026-11-23T08:30:00"):
        refuse_revoked(certificates, lists, datetime(2026, 11, 23, 8, 30, tzinfo=UTC))
