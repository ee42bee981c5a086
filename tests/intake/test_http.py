"""Over real HTTP: what is rightly signed and well made gets in once; nothing else does.

Nothing is ever answered with 500, nothing sent comes back in an answer or a log line, and nothing
is recorded but what a known sender sent.
"""

import json
import logging
import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_door import house, opened
from siem_findings import KEY, data, finding, headers
from sqlalchemy import event

from playbooks.case import store
from playbooks.intake.answers import LARGEST

DEAD = {"ledger_entries": 1, "rejected": 1, "seen": 1}
FIRST = {"incidents": 1, "alerts": 1, "seen": 1, "work": 1, "ledger_entries": 1}
FIXED = {"error", "expected"}
MARK = "zq7mark"
quick = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with opened(house(tmp_path_factory.mktemp("door"))) as one:
        assert one.post(data()).status == 202
        one.added()
        yield one


@pytest.fixture
def apart(tmp_path):
    with opened(house(tmp_path)) as one:
        yield one


def unique(**changes):
    """A finding that never came before, on its own host."""
    serial = time.monotonic_ns()
    return data(uid=f"u-{serial}", host=f"i-{serial % 16**17:017x}", **changes)


def test_a_finding_is_durable_when_it_is_acknowledged_and_counts_once(apart):
    # Seconds apart as signed: within one second they would be one request, sent twice.
    body, now = data(), time.time()
    first, again = apart.post(body, at=now), apart.post(body, at=now - 10)
    assert (first.status, first.json) == (202, {"incident": "INC-0001", "new": True})
    assert (again.status, again.json) == (202, {"incident": "INC-0001", "new": False})
    assert apart.added() == FIRST | {"seen": 2}
    assert apart.rows("SELECT repeats, channel FROM alerts") == [(1, "siem:edr")]
    assert apart.rows("SELECT incident, why, done FROM work") == [("INC-0001", "alert", 0)]


def test_a_replay_changes_nothing(apart):
    body = data()
    signed = headers(body)
    answers = [apart.post(body, signed).status for _ in range(4)]
    assert answers == [202, 409, 409, 409]
    assert apart.added() == FIRST
    assert apart.rows("SELECT repeats FROM alerts") == [(0,)]


def test_a_replay_is_known_by_what_was_signed_and_not_by_the_signature(apart):
    body = data()
    signed = headers(body)
    listed = signed | {"Stanch-Signature": ",".join([signed["Stanch-Signature"]] * 2)}
    assert [apart.post(body, one).status for one in (signed, listed)] == [202, 409]


@given(
    st.binary(max_size=300),
    st.binary(max_size=60),
    st.binary(max_size=20),
    st.binary(max_size=90),
)
@quick
def test_whatever_is_not_signed_is_refused_and_leaves_nothing(door, body, source, at, signature):
    lines = [
        b"POST /intake/generic HTTP/1.1",
        b"Host: localhost",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
        b"Stanch-Source: " + source,
        b"Stanch-Timestamp: " + at,
        b"Stanch-Signature: " + signature,
    ]
    answer = door.raw(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    assert answer[:9] == b"HTTP/1.1 "
    assert answer[9:10] == b"4", answer
    assert door.added() == {}


@given(st.binary(max_size=400))
@quick
def test_any_bytes_at_all_get_a_refusal_or_nothing(door, sent):
    answer = door.raw(sent)
    assert answer == b"" or answer[9:10] == b"4", answer
    assert door.added() == {}


def test_each_of_the_bodies_that_are_tried_would_get_through_the_size_cap():
    assert max(map(len, HOSTILE)) + 3 <= LARGEST


@given(st.data())
@quick
def test_a_known_senders_hostile_body_is_recorded_as_that_and_gets_no_further(door, draw):
    hostile = st.one_of(
        st.binary(max_size=300),
        st.sampled_from(HOSTILE),
        st.sampled_from(sorted(finding())).map(lambda name: data(**{name: {"x": [MARK]}})),
        st.text(max_size=50).map(lambda text: data(title=text + "\u202e" + MARK)),
    )
    body = draw.draw(hostile) + b" " * draw.draw(st.integers(0, 3))
    told = door.post(body, at=time.time() - draw.draw(st.integers(0, 290)))
    if told.status == 409:  # The same bytes were drawn for the same second before.
        assert door.added() == {}
        return
    assert told.status in (400, 422)
    assert door.added() == DEAD
    assert set(told.json) == FIXED
    assert MARK.encode() not in told.body


HOSTILE = [
    b"",
    b"null",
    b"[]",
    b'{"uid": 1, "uid": 2}',
    data()[:-1],
    data()[:-1] + b', "uid": "twice"}',
    b'{"severity": NaN}',
    b'{"severity": 1e999}',
    b'{"count": ' + b"9" * 5000 + b"}",
    b'{"a":' * 50_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 70 + b"1" + b"}" * 70,
    data().decode().encode("utf-16"),
    b"\x1f\x8b" + data(),
    data(title="a\n2026-03-04 CRITICAL INC-0001 was rolled back " + MARK),
    data(title="\x1b[2J" + MARK),
    data(uid="../../" + MARK),
    data(severity="8"),
    data(first_seen="9999-12-31T23:59:59-23:59"),
    json.dumps({"source": "aws.guardduty", "detail": {"id": MARK}}).encode(),
]


@pytest.mark.parametrize("aside", [-301, 301, -3600, 86400])
def test_a_stale_request_is_refused_and_leaves_nothing(door, aside):
    told = door.post(unique(), at=time.time() + aside + (5 if aside > 0 else -5))
    assert (told.status, set(told.json)) == (403, FIXED)
    assert door.added() == {}


@pytest.mark.parametrize("key", [b"", b"x" * 32, KEY[:-1], KEY + b"k"])
@pytest.mark.parametrize("source", ["edr", "nobody", "", "edr,edr", "\xed"])
def test_whoever_lacks_the_key_hears_the_same_whoever_they_claim_to_be(door, key, source):
    told = door.post(unique(), key=key, source=source)
    stranger = door.post(unique(), {"Content-Type": "application/json"})
    assert (told.status, told.body) == (stranger.status, stranger.body)
    assert told.status == 401
    assert door.added() == {}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json; charset=utf-16"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Host": "attacker.example"}, 421),
        ({"Host": "localhost.attacker.example"}, 421),
        ({"Host": "127.0.0.1@attacker.example"}, 421),
        ({"Host": ""}, 421),
    ],
    ids=str,
)
def test_headers_alone_can_refuse_what_is_rightly_signed(door, change, status):
    body = unique()
    told = door.post(body, headers(body) | change)
    assert (told.status, set(told.json)) == (status, FIXED)
    assert door.added() == {}


@pytest.mark.parametrize("change", [{}, {"Content-Type": "Application/JSON; charset=UTF-8"}])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:1", "LOCALHOST"])
def test_this_hosts_own_names_and_json_are_welcome(door, change, host):
    body = unique()
    assert door.post(body, headers(body) | change | {"Host": host}).status == 202
    assert door.added() == FIRST


@pytest.mark.parametrize(
    "twice", ["Stanch-Source: edr", "Stanch-Timestamp: 1772618400", "Stanch-Signature: v1=00"]
)
def test_a_header_that_comes_twice_is_believed_neither_time(door, twice):
    body = unique()
    lines = [f"{name}: {value}" for name, value in headers(body).items()]
    lines += ["Host: localhost", f"Content-Length: {len(body)}", twice, "Connection: close"]
    head = "POST /intake/generic HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    assert door.raw(head.encode() + body)[9:12] == b"401"
    assert door.added() == {}


def test_the_largest_body_gets_in_and_one_byte_more_does_not(door):
    def sized(size):
        body = unique()
        return body + b" " * (size - len(body))

    assert door.post(sized(LARGEST)).status == 202
    assert door.added() == FIRST
    assert door.post(sized(LARGEST + 1)).status == 413
    assert door.added() == {}


def test_a_body_that_does_not_say_its_size_is_cut_off_when_it_is_too_large(door):
    body = unique() + b" " * LARGEST
    lines = [f"{name}: {value}" for name, value in headers(body).items()]
    lines += ["Host: localhost", "Transfer-Encoding: chunked", "Connection: close"]
    head = "POST /intake/generic HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part)
        for part in (body[i : i + 8192] for i in range(0, len(body), 8192))
    )
    assert door.raw(head.encode() + chunks + b"0\r\n\r\n")[9:12] == b"413"
    assert door.added() == {}


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 30, "1, 2"])
def test_a_length_that_is_none_is_refused(door, length):
    body = unique()
    lines = [f"{name}: {value}" for name, value in headers(body).items()]
    lines += ["Host: localhost", f"Content-Length: {length}", "Connection: close"]
    head = "POST /intake/generic HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    assert door.raw(head.encode() + body)[9:10] == b"4"
    assert door.added() == {}


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/redoc", "/intake/generic/"])
def test_there_is_nothing_else_here(door, path):
    told = door.raw(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert told[9:12] == b"404"
    assert b"expected" in told
    told = door.raw(b"GET /intake/generic HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert told[9:12] == b"405"


def test_a_body_that_dawdles_is_given_up_and_one_that_breaks_off_is_forgotten(tmp_path):
    with opened(house(tmp_path), patience=0.2) as one:
        body = data()
        lines = [f"{n}: {v}" for n, v in headers(body).items()]
        lines += ["Host: localhost", f"Content-Length: {len(body)}"]
        head = "POST /intake/generic HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
        with socket.create_connection(("127.0.0.1", one.port), timeout=20) as slow:
            slow.sendall(head.encode() + body[:10])
            assert slow.recv(65536)[9:12] == b"408"
        with socket.create_connection(("127.0.0.1", one.port), timeout=20) as gone:
            gone.sendall(head.encode() + body[:10])
        assert one.post(body).status == 202
        assert one.added() == FIRST


def test_on_a_full_disk_what_is_acknowledged_is_there_and_what_is_not_may_come_again(
    tmp_path, caplog
):
    with opened(house(tmp_path)) as one:
        ((pages,),) = one.rows("PRAGMA page_count")
        one.parts.engine.dispose()
        limit = f"PRAGMA max_page_count = {pages + 12}"
        event.listen(one.parts.engine, "connect", lambda raw, _: raw.execute(limit))
        caplog.set_level(logging.DEBUG)
        told = [one.post(unique(title=MARK + "x" * 900)) for _ in range(30)]
        told += [one.post(data(severity=MARK + "x" * 9000))]
        statuses = [one.status for one in told]
        assert set(statuses) == {202, 503}
        assert statuses[-1] == 503
        assert one.added()["alerts"] == statuses.count(202)
        for refused in (one for one in told if one.status == 503):
            assert (refused.headers["retry-after"], set(refused.json)) == ("5", FIXED)
    assert MARK not in caplog.text
    assert "OperationalError" in caplog.text


def test_no_failure_of_our_own_is_told(tmp_path, caplog):
    def broken(arrivals):
        raise RuntimeError(f"{MARK} {arrivals}")

    with opened(house(tmp_path), accept=broken) as one:
        told = one.post(data())
        assert (told.status, set(told.json)) == (503, FIXED)
        assert one.added() == {}
    assert MARK not in caplog.text
    assert "RuntimeError" in caplog.text


def test_what_is_rejected_can_be_read_with_its_reason(apart):
    sent = data(severity="8", title="x" * 900)
    apart.post(sent)
    (letter,) = apart.db.read(store.rejected)
    assert letter.channel == "siem:edr"
    assert "severity" in letter.reason
    assert (letter.body.encode(), letter.size) == (sent, len(sent))
    assert apart.db.read(store.rejections) == {"siem:edr": 1}
