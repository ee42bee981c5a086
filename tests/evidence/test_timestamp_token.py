"""A token holds for one text, request, authority and policy, and no byte of it may differ."""

import hashlib
import shutil
import subprocess
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rfc3161_client import TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response
from rfc3161_client._rust import parse_timestamp_request

from evidence import timestamp
from evidence.errors import EvidenceError, TimestampError
from evidence.timestamp_check import check
from tests.evidence.stamping import BEGIN, NONCE, TEXT, Stamper, stamper

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl on this machine")


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Stamper:
    return stamper(tmp_path_factory.mktemp("tsa") / "a")


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Stamper:
    return stamper(tmp_path_factory.mktemp("tsa") / "b", "tsa-b")


@pytest.fixture(scope="module")
def stamped(one) -> tuple[bytes, bytes]:
    return one.stamp()


def openssl(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [OPENSSL, "ts", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_a_token_says_when_its_text_was_stamped(one):
    asked, answer = one.stamp()
    token = check(one.pinned, TEXT, asked, answer)
    assert token.time == BEGIN + timedelta(hours=1)
    assert token.imprint == hashlib.sha512(TEXT).digest()
    assert token.nonce == NONCE


def test_a_request_reads_the_same_to_another_implementation(one):
    read = parse_timestamp_request(one.stamp()[0])
    assert read.version == 1
    assert read.nonce == NONCE
    assert read.cert_req
    assert read.policy.dotted_string == one.pinned.policy
    assert read.message_imprint.message == hashlib.sha512(TEXT).digest()


@needs_openssl
def test_openssl_takes_request_and_token(one, other, tmp_path):
    asked, answer = one.stamp()
    text, query, reply = (tmp_path / name for name in ("text", "tsq", "tsr"))
    for path, data in ((text, TEXT), (query, asked), (reply, answer)):
        path.write_bytes(data)
    root = one.folder / "root.pem"
    assert "sha512" in openssl("-query", "-in", query, "-text").stdout
    by_text = openssl("-verify", "-data", text, "-in", reply, "-CAfile", root)
    by_query = openssl("-verify", "-queryfile", query, "-in", reply, "-CAfile", root)
    assert (by_text.returncode, by_query.returncode) == (0, 0), by_text.stderr + by_query.stderr
    wrong = openssl("-verify", "-data", text, "-in", reply, "-CAfile", other.folder / "root.pem")
    assert wrong.returncode != 0


@pytest.mark.parametrize("certificate", [True, False])
def test_a_request_of_another_implementation_gets_a_token_that_it_takes(one, certificate):
    asked = TimestampRequestBuilder().data(TEXT).cert_request(cert_request=certificate).build()
    answer = decode_timestamp_response(one.runs.answer(asked.as_bytes()))
    verifier = VerifierBuilder(
        tsa_certificate=one.pinned.certificate, roots=list(one.pinned.roots), nonce=asked.nonce
    ).build()
    assert len(answer.signed_data.certificates) == certificate
    if certificate:
        assert verifier.verify_message(answer, TEXT)


def refused(signer: Stamper, asked: bytes, answer: bytes, because: str, text: bytes = TEXT) -> None:
    with pytest.raises(TimestampError, match=because):
        check(signer.pinned, text, asked, answer)


def test_the_token_of_another_authority_is_named(one, other):
    refused(one, *other.stamp(), "another authority made it")


def test_the_token_of_another_authority_is_named_where_it_carries_no_certificate(one, other):
    asked = one.stamp()[0].replace(b"\x01\x01\xff", b"\x01\x01\x00")
    assert other.runs.answer(asked) != other.runs.answer(asked.replace(b"\x00", b"\xff"))
    refused(one, one.stamp()[0], other.runs.answer(asked), "another authority signed it")


def test_a_rogue_under_the_same_names_and_number_is_found(one, tmp_path, monkeypatch):
    number = one.pinned.certificate.serial_number
    monkeypatch.setattr("cryptography.x509.random_serial_number", lambda: number)
    rogue = stamper(tmp_path / "rogue", one.pinned.name)
    assert rogue.pinned.certificate.serial_number == number
    refused(one, *rogue.stamp(), "another authority made it")


def test_a_certificate_that_does_not_lead_to_the_root_is_found(one, other):
    pinned = timestamp.authority(
        "tsa-a",
        (one.folder / "tsa.pem").read_bytes(),
        (other.folder / "root.pem").read_bytes(),
        one.pinned.policy,
    )
    with pytest.raises(TimestampError, match=r"signature does not hold.*issuer certificate"):
        check(pinned, TEXT, *one.stamp())


def test_a_token_over_another_text_is_named(one):
    asked = one.stamp()[0]
    refused(one, asked, one.stamp(TEXT + b"x")[1], "something else than the checkpoint's text")


def test_a_request_over_another_text_is_named(one):
    refused(one, *one.stamp(), "something else", text=TEXT + b"x")
    asked = one.stamp(TEXT + b"x")[0]
    refused(one, asked, one.stamp()[1], "its request is not one over this checkpoint")


def test_a_token_that_answers_another_request_is_named(one):
    refused(one, one.stamp()[0], one.stamp(nonce=NONCE + 1)[1], "its nonce is not the one")


def test_a_token_under_another_policy_is_named(one):
    lax = Stamper(
        one.runs,
        timestamp.authority(
            "tsa-a",
            (one.folder / "tsa.pem").read_bytes(),
            (one.folder / "root.pem").read_bytes(),
            "2.999.3161.2",
        ),
        one.folder,
    )
    asked, _ = lax.stamp()
    refused(lax, asked, lax.runs.answer(asked), "granted no token.*unacceptedPolicy")
    refused(lax, asked, one.stamp()[1], r"policy 2\.999\.3161\.1, not 2\.999\.3161\.2")


@pytest.mark.parametrize(
    ("late", "because"),
    [(timedelta(days=3), "had expired at the token's time"),
     (timedelta(days=-3), "was not valid yet at the token's time")],
)  # fmt: skip
def test_a_certificate_that_did_not_hold_at_the_token_s_time_is_named(tmp_path, late, because):
    end = BEGIN + timedelta(days=1)
    old = stamper(tmp_path / "old", now=lambda: BEGIN + late, end=end)
    refused(old, *old.stamp(), because)


def test_a_certificate_may_expire_after_the_token(tmp_path):
    # As rfc3161-client does from 1.0.4 on: what counts is the time of the token.
    end = BEGIN + timedelta(hours=2)
    old = stamper(tmp_path / "old", end=end)
    assert check(old.pinned, TEXT, *old.stamp()).time < end


def test_no_bit_of_any_byte_of_a_token_may_differ(one, stamped):
    asked, answer = stamped
    for at in range(len(answer)):
        for bit in (1 << at % 8, 1 << (at + 3) % 8):
            with pytest.raises(TimestampError):
                check(one.pinned, TEXT, asked, _changed(answer, at, bit))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_byte_of_a_token_may_be_another(one, stamped, data):
    asked, answer = stamped
    at = data.draw(st.integers(0, len(answer) - 1))
    flip = data.draw(st.integers(1, 255))
    with pytest.raises(TimestampError):
        check(one.pinned, TEXT, asked, _changed(answer, at, flip))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_nothing_may_be_cut_off_or_added(one, stamped, data):
    asked, answer = stamped
    cut = answer[: data.draw(st.integers(0, len(answer) - 1))]
    more = answer + data.draw(st.binary(min_size=1, max_size=8))
    for changed in (cut, more):
        with pytest.raises(TimestampError):
            check(one.pinned, TEXT, asked, changed)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_anything_else_is_refused(one, stamped, noise):
    with pytest.raises(TimestampError):
        check(one.pinned, TEXT, stamped[0], noise)


def _changed(data: bytes, at: int, flip: int) -> bytes:
    return data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("members", "because"),
    [
        ({"name": "TSA"}, "expected 1 to 32 of a-z"),
        ({"name": "../a"}, "expected 1 to 32 of a-z"),
        ({"policy": "1"}, "expected numbers with dots"),
        ({"certificate": "no"}, "its certificate is not certificates in PEM"),
        ({"root": 5}, "lacks name, certificate, root or policy"),
    ],
)
def test_what_is_to_be_trusted_must_be_well_formed(one, members, because):
    with pytest.raises(EvidenceError, match=because):
        timestamp.read_authorities({"timestamp_authorities": [one.pinned.trust() | members]})


def test_what_is_trusted_reads_back(one, other):
    listed = [one.pinned.trust(), other.pinned.trust()]
    found = timestamp.read_authorities({"timestamp_authorities": listed})
    assert found == ((one.pinned, other.pinned), 2)
    assert timestamp.read_authorities({}) == ((), 0)


@pytest.mark.parametrize("quorum", [0, 3, True, "1"])
def test_a_quorum_that_cannot_be_is_refused(one, other, quorum):
    listed = [one.pinned.trust(), other.pinned.trust()]
    with pytest.raises(TimestampError, match="timestamp_quorum is not 1 to 2"):
        timestamp.read_authorities({"timestamp_authorities": listed, "timestamp_quorum": quorum})


def test_one_certificate_under_two_names_is_no_second_authority(one):
    listed = [one.pinned.trust(), one.pinned.trust() | {"name": "tsa-b"}]
    with pytest.raises(TimestampError, match="one certificate under two names"):
        timestamp.read_authorities({"timestamp_authorities": listed})


def test_an_intermediate_is_no_root(one):
    pem = (one.folder / "tsa.pem").read_bytes()
    with pytest.raises(TimestampError, match="its root is not self-signed"):
        timestamp.authority("tsa-a", pem, pem, one.pinned.policy)
