"""Who stole an authority's key claims any time; what others saw before counts all the same."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from evidence import bag
from evidence.verify import Verdict, verify_bundle
from tests.evidence.forgery import read_lines, rebag, restate, write_lines
from tests.evidence.stamping import Stamping, stamping, three_hours
from tests.evidence.test_timestamp_revocation import HOUR, LATER, Issuer, revocable, said

STOLEN = x509.ReasonFlags.key_compromise


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Two authorities that stamped for three hours, and once more after nothing but that."""
    made = stamping(tmp_path_factory.mktemp("site"), timedelta(), timedelta())
    issuers = [revocable(made, at) for at in range(2)]
    three_hours(made)
    made.export("before")
    made.stamp()
    made.export("renewed")
    yield made, issuers
    made.chamber.engine.dispose()


def judged(site: Stamping, issuer: Issuer, bundle: str, since=None, *more) -> Verdict:
    """Return the verdict where the first authority's key was stolen `since` then."""
    trust = site.trust
    crl = issuer.crl(LATER, since or site.chamber.now + HOUR, STOLEN, *more)
    trust["timestamp_authorities"][0]["crl"] = crl.decode()
    return verify_bundle(site.chamber.folder / bundle, trust)


def test_what_nobody_else_saw_does_not_count_once_the_key_was_stolen(site):
    made, (first, _) = site
    verdict = judged(made, first, "before")
    assert (said(verdict), verdict.timestamped) == ("", False)
    assert verdict.revocation[0].startswith("tsa-a: not all of its tokens count")
    assert "by its reason nothing it signed before counts" in verdict.revocation[0]
    # The hours before were seen by the other authority an hour later.
    assert [bool(times.not_after) for times in verdict.times] == [True] * 4 + [False] * 2


def test_what_another_authority_stamped_after_it_counts(site):
    made, (first, _) = site
    verdict = judged(made, first, "renewed")
    assert (said(verdict), verdict.timestamped) == ("", True)
    assert all(times.not_after for times in verdict.times)


def test_only_what_was_seen_before_the_theft_counts(site):
    made, (first, _) = site
    # After the first hour's stamps were seen, and before the second's.
    verdict = judged(made, first, "renewed", made.chamber.now - HOUR - timedelta(minutes=30))
    assert verdict.exit_code == 1
    assert "was revoked at" in said(verdict)
    assert [bool(times.not_after) for times in verdict.times] == [True] * 2 + [False] * 4


def test_an_issuer_that_dates_the_theft_before_its_list_is_believed(site):
    made, (first, _) = site
    stolen = made.chamber.now - HOUR - timedelta(minutes=30)
    entry = (
        x509.RevokedCertificateBuilder(
            serial_number=first.identity.certificate.serial_number,
            revocation_date=made.chamber.now + HOUR,
        )
        .add_extension(x509.CRLReason(STOLEN), critical=False)
        .add_extension(x509.InvalidityDate(stolen), critical=False)
        .build()
    )
    trust = made.trust
    trust["timestamp_authorities"][0]["crl"] = first.listing(LATER, entry).decode()
    verdict = verify_bundle(made.chamber.folder / "renewed", trust)
    assert verdict.exit_code == 1
    assert [bool(times.not_after) for times in verdict.times] == [True] * 2 + [False] * 4


def test_a_token_that_no_entry_notes_was_seen_by_nobody(site, tmp_path: Path):
    made, (first, _) = site
    bundle = made.chamber.folder / "renewed"
    noted = read_lines(bundle, bag.TIME_NOTED)
    try:
        write_lines(bundle, bag.TIME_NOTED, [n for n in noted if n["authority"] != "tsa-a"])
        rebag(bundle)
        restate(bundle, made.chamber.signer)
        verdict = judged(made, first, "renewed")
        assert (said(verdict), verdict.timestamped) == ("", False)
        assert not any(times.not_after for times in verdict.times)
    finally:
        write_lines(bundle, bag.TIME_NOTED, noted)
        rebag(bundle)
        restate(bundle, made.chamber.signer)
