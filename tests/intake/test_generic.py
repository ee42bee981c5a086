"""What a SIEM sends becomes an alert that says just that, or a refusal that repeats nothing."""

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from guardduty_findings import RECEIVED, as_api, enveloped, tor_client
from hypothesis import given
from hypothesis import strategies as st
from siem_findings import ACCOUNT, HOST, data, finding

from playbooks.intake.alert import Alert
from playbooks.intake.errors import FieldError, HostileTextError, IntakeError
from playbooks.intake.generic import SKEW, read_generic
from playbooks.intake.read import read_alert

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
REQUIRED = [n for n in finding() if n not in ("count", "remote_ips")]
LATE = "2026-03-04T12:05:01Z"
KINDS = ["role", "access_key", "bucket"]


def read(body: bytes) -> Alert:
    return read_generic(body, "edr", received=RECEIVED)


def refused(body: bytes) -> IntakeError:
    with pytest.raises(IntakeError) as error:
        read(body)
    str(error.value).encode("ascii")  # Nothing that would mislead whoever reads it.
    assert len(str(error.value)) < 1000
    return error.value


def test_each_field_arrives_as_it_was_sent():
    alert = read(data(sample=True))
    assert (alert.source, alert.uid, alert.finding_type) == ("siem:edr", "beacon-1", "beacon")
    assert (alert.severity, alert.severity_id, alert.count) == (8.0, 4, 2)
    assert (alert.account, alert.resource.uid, alert.resource.instance_id) == (ACCOUNT, HOST, HOST)
    assert alert.first_seen == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert alert.last_seen - alert.first_seen == timedelta(hours=1)
    assert alert.remote_ips == ("203.0.113.99", "2001:db8::1")
    assert (alert.sample, alert.archived, alert.problems) == (True, False, ())
    assert alert.dedupe_key == f"siem:edr:{ACCOUNT}:eu-west-1:beacon-1"


@given(st.data())
def test_any_value_anywhere_is_an_alert_or_a_refusal(draw):
    document = copy.deepcopy(finding())
    inner = document if draw.draw(st.booleans()) else document["resource"]
    inner[draw.draw(st.sampled_from(sorted(inner)))] = draw.draw(JSON)
    body = json.dumps(document).encode()
    try:
        json.dumps(read(body).to_json(), ensure_ascii=False).encode("utf-8")
    except IntakeError:
        refused(body)


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_missing_is_named(name):
    document = finding()
    del document[name]
    assert name in str(refused(json.dumps(document).encode()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"severity": "8"},
        {"severity": True},
        {"severity": 10.1},
        {"severity": 0},
        {"count": 1.0},
        {"count": "1"},
        {"count": 0},
        {"count": 2**53},
        {"sample": 1},
        {"sample": "false"},
        {"uid": "a:b"},
        {"uid": ""},
        {"account": "11112222333"},
        {"account": 111122223333},
        {"region": "eu-west-1/x"},
        {"type": ""},
        {"first_seen": "2026-03-04T10:00:00"},
        {"first_seen": "2026-03-04 10:00:00Z"},
        {"first_seen": "20260304T100000Z"},
        {"first_seen": 1772618400},
        {"first_seen": "0001-01-01T00:00:00+23:59"},
        {"first_seen": "2026-02-30T10:00:00Z"},
        {"first_seen": "2026-03-04T11:00:01Z"},
        {"last_seen": LATE},
        {"remote_ips": ["host.example"]},
        {"remote_ips": ["203.0.113.1"] * 65},
        {"resource": {"kind": "instance", "uid": "web-1"}},
        {"resource": {"kind": "spaceship", "uid": HOST}},
        {"resource": {"kind": "instance", "uid": HOST, "arn": "x"}},
        {"resource": HOST},
        {"admin": True},
        {"archived": False},
    ],
    ids=str,
)
def test_what_is_not_in_the_form_is_refused_as_that(wrong):
    assert isinstance(refused(data(**wrong)), FieldError)


@pytest.mark.parametrize("field", ["title", "type", "uid"])
@pytest.mark.parametrize("text", ["a\nINC-0001 contained", "a\x1b[2J", "a\u202eb", "\ud800", "\0"])
def test_text_that_would_mislead_is_refused(field, text):
    assert isinstance(refused(data(**{field: text})), HostileTextError)


def test_a_name_that_would_mislead_is_not_repeated():
    assert "\\u202e" in str(refused(data(**{"a\u202eb\n": 1})))


@given(st.timedeltas(timedelta(0), SKEW))
def test_a_clock_may_be_a_little_ahead_and_no_more(ahead):
    ahead = timedelta(seconds=int(ahead.total_seconds()))
    assert read(data(last_seen=(RECEIVED + ahead).isoformat())).last_seen == RECEIVED + ahead
    assert "clock" in str(refused(data(last_seen=LATE)))


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_that_aws_would_not_spell_so_is_refused_for_its_kind(kind):
    good = {"role": "front", "access_key": "AKIAQQQQWWWWEEEERRRR", "bucket": "shop-orders"}
    assert read(data(resource={"kind": kind, "uid": good[kind]})).resource.uid == good[kind]
    assert kind in str(refused(data(resource={"kind": kind, "uid": "//"})))


@pytest.mark.parametrize("form", [enveloped(tor_client()), tor_client(), as_api(tor_client())])
def test_guardduty_is_the_same_finding_by_whatever_way_it_comes(form):
    body = json.dumps(form).encode()
    assert read(body) == read_alert(body, received=RECEIVED)


def test_partitions_follow_the_region():
    regions = {"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}
    assert {r: read(data(region=r)).partition for r in regions} == regions
