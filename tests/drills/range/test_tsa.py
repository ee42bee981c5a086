"""The range's timestamping authority answers over HTTP as RFC 3161 says, and never twice alike."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from evidence import der, timestamp
from evidence.errors import TimestampError
from evidence.timestamp_check import check
from evidence.timestamp_token import read_token
from playbooks.drills.range import tsa, tsa_state
from tests.evidence.stamping import BEGIN, NONCE, TEXT, Stamper, stamper

ROOT = Path(__file__).resolve().parents[3]
HEADERS = {"Content-Type": "application/timestamp-query"}
SHA512 = der.sequence(der.object_id(timestamp.SHA512))
DIGEST = der.octets(bytes(64))
IMPRINT = der.sequence(SHA512, DIGEST)


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Stamper:
    return stamper(tmp_path_factory.mktemp("tsa") / "a")


@pytest.mark.parametrize(
    ("query", "failure"),
    [
        (b"", "badDataFormat"),
        (b"\x30\x80\x00\x00", "badDataFormat"),
        (der.sequence(), "badDataFormat"),
        (der.sequence(der.integer(2), IMPRINT), "badRequest"),
        (der.sequence(der.integer(1), IMPRINT, der.octets(b"")), "badRequest"),
        (der.sequence(der.integer(1), der.sequence(SHA512, der.octets(b"x"))), "badDataFormat"),
        (
            der.sequence(
                der.integer(1),
                der.sequence(der.sequence(der.object_id("1.3.14.3.2.26")), der.octets(bytes(20))),
            ),
            "badAlg",
        ),
        (der.sequence(der.integer(1), IMPRINT, der.object_id("1.2.3")), "unacceptedPolicy"),
        (der.sequence(der.integer(1), IMPRINT, der.tagged(0, b"")), "unacceptedExtension"),
    ],
)
def test_a_bad_request_is_refused_with_its_reason(one, query, failure):
    with pytest.raises(TimestampError, match=rf"granted no token: status 2, {failure}$"):
        read_token(one.runs.answer(query), one.pinned)


def test_a_clock_that_went_back_stamps_nothing(tmp_path):
    times = [BEGIN + timedelta(hours=h) for h in (2, 1, 3)]
    turning = stamper(tmp_path / "a", now=lambda: times.pop(0))
    assert read_token(turning.stamp()[1], turning.pinned).serial == 1
    with pytest.raises(TimestampError, match="timeNotAvailable"):
        read_token(turning.stamp()[1], turning.pinned)
    assert read_token(turning.stamp()[1], turning.pinned).serial == 2


def test_no_serial_number_comes_twice_after_a_start(tmp_path):
    first = stamper(tmp_path / "a")
    serials = [read_token(first.stamp()[1], first.pinned).serial for _ in range(3)]
    again = tsa.authority(first.folder, "other name", first.runs.now)
    assert again.identity.certificate == first.pinned.certificate
    asked = timestamp.request(TEXT, tsa.POLICY, NONCE)
    token = read_token(again.answer(asked), first.pinned)
    assert [*serials, token.serial] == [1, 2, 3, 4]


def test_its_key_is_closed_to_others(one):
    assert (one.folder / "tsa.key").stat().st_mode & 0o777 == 0o600
    assert one.folder.stat().st_mode & 0o777 == 0o700
    assert tsa_state.load(one.folder).certificate == one.pinned.certificate


def test_over_http_only_timestamp_queries_are_taken(one):
    asked = timestamp.request(TEXT, tsa.POLICY, NONCE)
    with tsa.serve(one.runs) as url:
        done = requests.post(url, asked, headers=HEADERS, timeout=10)
        other = requests.post(url, asked, headers={"Content-Type": "text/plain"}, timeout=10)
        large = requests.post(url, bytes(1 << 13), headers=HEADERS, timeout=10)
        got = requests.get(url, timeout=10)
    assert (done.status_code, done.headers["Content-Type"]) == (200, "application/timestamp-reply")
    assert check(one.pinned, TEXT, asked, done.content).nonce == NONCE
    assert [r.status_code for r in (other, large, got)] == [415, 413, 501]


def test_as_a_process_it_keeps_its_own_key_and_follows_the_range_s_clock(tmp_path):
    clock = tmp_path / "clock"
    clock.write_text("86400")
    command = [sys.executable, "-m", "playbooks.drills.range.tsa", "--folder", tmp_path / "tsa"]
    with subprocess.Popen(
        [*map(str, command), "--clock", str(clock)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            line = json.loads(process.stdout.readline())
            pem = [Path(line[name]).read_bytes() for name in ("certificate", "root")]
            pinned = timestamp.authority("range", *pem, line["policy"])
            asked = timestamp.request(TEXT, pinned.policy, NONCE)
            answer = requests.post(line["url"], asked, headers=HEADERS, timeout=10).content
        finally:
            process.terminate()
    ahead = check(pinned, TEXT, asked, answer).time - tsa._now(None)
    assert timedelta(hours=23) < ahead < timedelta(hours=25)
    assert process.returncode == 0
