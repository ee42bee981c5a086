"""A request counts when a sender who holds the key signed it whole, just now; and only once."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from playbooks.errors import SettingsError
from playbooks.intake.errors import StaleError, UnsignedError
from playbooks.intake.senders import known_senders
from playbooks.intake.signed import LEAST_KEY, WINDOW, Stamp, check, senders
from playbooks.wiring.channel_terms import Sender
from playbooks.wiring.settings import Settings

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
OLD, NEW, OTHER = (letter * LEAST_KEY for letter in (b"o", b"n", b"x"))
KNOWN = senders({"siem": [OLD, NEW], "edr": [OTHER]}, bytes)
BODIES = st.binary(max_size=200)


def signature(key: bytes, timestamp: str, body: bytes) -> str:
    message = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(key, message, hashlib.sha256).hexdigest()


def stamp(body: bytes, *keys: bytes, source: str = "siem", at: datetime = NOW) -> Stamp:
    timestamp = str(int(at.timestamp()))
    return Stamp(source, timestamp, ",".join(signature(key, timestamp, body) for key in keys))


@given(BODIES, st.lists(st.sampled_from([OLD, NEW, OTHER]), min_size=1, max_size=4))
def test_either_key_is_good_and_one_good_signature_is_enough(body, keys):
    assume({OLD, NEW} & set(keys))
    signed = check(KNOWN, stamp(body, *keys), body, NOW)
    assert (signed.sender, signed.at) == ("siem", NOW)


@given(BODIES, BODIES, st.integers(0, 600))
def test_a_request_has_one_digest_by_whichever_key_and_no_two_share_one(one, two, later):
    def digest(body: bytes, *keys: bytes, at: datetime = NOW) -> str:
        return check(KNOWN, stamp(body, *keys, at=at), body, at).digest

    moved = NOW + timedelta(seconds=later)
    assert digest(one, OLD) == digest(one, NEW) == digest(one, NEW, OLD)
    assert (digest(one, OLD) == digest(two, OLD, at=moved)) == (one == two and later == 0)


@given(BODIES, st.data())
def test_nothing_can_be_changed_after_signing(body, data):
    good = stamp(body, NEW)
    parts = {
        "source": st.text(max_size=20),
        "timestamp": st.text(max_size=20) | st.integers(10**9, 2 * 10**9).map(str),
        "signature": st.text(max_size=80)
        | st.binary(min_size=32, max_size=32).map(lambda raw: f"v1={raw.hex()}"),
    }
    name = data.draw(st.sampled_from([*parts, "body"]))
    changed, sent = {n: getattr(good, n) for n in parts}, body
    if name == "body":
        sent = data.draw(BODIES)
        assume(sent != body)
    else:
        changed[name] = data.draw(parts[name])
        assume(changed[name] != getattr(good, name))
    with pytest.raises(UnsignedError):
        check(KNOWN, Stamp(**changed), sent, NOW)


@given(BODIES)
def test_a_stranger_is_told_what_a_wrong_key_is_told(body):
    told = []
    for one in (stamp(body, OTHER), stamp(body, OLD, source="nobody")):
        with pytest.raises(UnsignedError) as refused:
            check(KNOWN, one, body, NOW)
        told.append(str(refused.value))
    assert told[0] == told[1]


@given(BODIES, st.integers(-2000, 2000))
def test_what_is_signed_rightly_is_stale_outside_the_window_alone(body, seconds):
    at = NOW + timedelta(seconds=seconds)
    if abs(seconds) <= WINDOW.seconds:
        assert check(KNOWN, stamp(body, NEW, at=at), body, NOW).at == at
    else:
        with pytest.raises(StaleError):
            check(KNOWN, stamp(body, NEW, at=at), body, NOW)


@pytest.mark.parametrize(
    "given_as", ["v1={}", "v1={},v1={}", "v1={}, v1={}", "v1={},v1={},v1={},v1={}"]
)
def test_signatures_may_be_listed(given_as):
    timestamp = str(int(NOW.timestamp()))
    one = signature(NEW, timestamp, b"x").removeprefix("v1=")
    check(KNOWN, Stamp("siem", timestamp, given_as.replace("{}", one)), b"x", NOW)


@pytest.mark.parametrize(
    "given_as",
    ["{}", "v2={}", "V1={}", " v1={}", "v1={} ", "v1={},", ",".join(["v1={}"] * 5), "v1={}\n"],
)
def test_a_signature_in_another_form_does_not_count(given_as):
    timestamp = str(int(NOW.timestamp()))
    one = signature(NEW, timestamp, b"x").removeprefix("v1=")
    with pytest.raises(UnsignedError):
        check(KNOWN, Stamp("siem", timestamp, given_as.replace("{}", one)), b"x", NOW)


@pytest.mark.parametrize("keys", [[b"short"], [OLD, b"x" * (LEAST_KEY - 1)], [], [OLD] * 3])
def test_keys_that_would_not_do_are_refused(keys):
    with pytest.raises(ValueError, match="at least 32 bytes"):
        senders({"siem": keys}, bytes)


def test_keys_come_by_reference_and_no_refusal_shows_one(monkeypatch, tmp_path):
    def known(*references: str):
        return known_senders(Settings(sources={"siem": Sender(keys=references)}), bytes)

    (tmp_path / "new").write_bytes(NEW + b"\n")
    monkeypatch.setenv("OLD_KEY", OLD.decode())
    monkeypatch.setenv("SHORT_KEY", "tellnobody")
    both = known("env:OLD_KEY", f"file:{tmp_path / 'new'}")
    for key in (OLD, NEW):
        assert check(both, stamp(b"x", key), b"x", NOW).sender == "siem"
    for wrong in (("env:SHORT_KEY",), ("env:OLD_KEY",) * 2, ("env:NOT_SET",), (OLD.decode(),)):
        with pytest.raises(SettingsError) as refused:
            known(*wrong)
        assert not any(key in str(refused.value) for key in ("tellnobody", OLD.decode()))
