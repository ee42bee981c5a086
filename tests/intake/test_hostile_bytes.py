"""Whatever arrives becomes an alert or a clear refusal, quickly; nothing else."""

import copy
import json
import time
from datetime import datetime, timedelta

import pytest
from guardduty_findings import FINDINGS, RECEIVED, as_api, enveloped, read, tor_client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playbooks.intake.alert import Alert
from playbooks.intake.errors import (
    FieldError,
    HostileTextError,
    IntakeError,
    NotJsonError,
    TooDeepError,
    TooLargeError,
    UnknownSourceError,
)
from playbooks.intake.read import read_alert
from playbooks.intake.strict_json import MAX_BYTES, MAX_DEPTH

WHOLE = json.dumps(enveloped(tor_client())).encode()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
HIDING = ["\u202e", "\u2066", "\u200b", "\u0000", "\n", "\x1b[2J", "\ud800", "\ue000", "\u2028"]


def answer(data):
    """The alert or the refusal, and that it is one of the two and says something."""
    try:
        found = read_alert(data, received=RECEIVED)
    except IntakeError as error:
        found = error
    if isinstance(found, Alert):
        json.dumps(found.to_json(), ensure_ascii=False).encode("utf-8")
        return found
    assert type(found) is not IntakeError
    str(found).encode("ascii")  # a refusal never repeats what would mislead
    assert 40 < len(str(found)) < 1000
    return found


@given(st.binary(max_size=400))
def test_any_bytes(data):
    answer(data)


@given(JSON)
def test_any_json(document):
    answer(json.dumps(document).encode())


@given(st.sampled_from(FINDINGS), st.booleans(), st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_value_anywhere_in_a_finding(make, api, data):
    document = copy.deepcopy(as_api(make()) if api else make())
    inner = document
    while True:
        name = data.draw(st.sampled_from(sorted(inner)))
        if isinstance(inner[name], dict) and inner[name] and data.draw(st.booleans()):
            inner = inner[name]
            continue
        inner[name] = data.draw(JSON)
        break
    answer(json.dumps(document).encode())


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1))
def test_a_finding_cut_anywhere_is_refused_as_cut_off(length):
    refused = answer(WHOLE[:length])
    assert isinstance(refused, NotJsonError)
    assert "cut off" in str(refused) or "not JSON" in str(refused)


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1), st.integers(0, 255))
def test_a_flipped_byte_is_an_alert_or_a_refusal(at, byte):
    answer(WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :])


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"detail":{"resource":[', '[[{"b":['])
@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 5_000, 200_000])
def test_deep_nesting_is_refused(opening, levels):
    refused = answer((opening * levels)[:MAX_BYTES].encode())
    assert isinstance(refused, TooDeepError | NotJsonError)


@pytest.mark.parametrize("levels", [MAX_DEPTH, 500, 900])
def test_complete_deep_nesting_is_refused_for_its_depth(levels):
    nested = b'{"a":' + b"[" * levels + b"]" * levels + b"}"
    assert isinstance(answer(nested), TooDeepError)
    for core in (b"", b"1"):
        shallow = b'{"a":' + b"[" * (MAX_DEPTH - 1) + core + b"]" * (MAX_DEPTH - 1) + b"}"
        assert isinstance(answer(shallow), UnknownSourceError)


def test_ten_megabytes_are_refused_at_once():
    large = b'{"a":"' + b"x" * 10_000_000 + b'"}'
    before = time.perf_counter()
    refused = answer(large)
    assert time.perf_counter() - before < 1
    assert isinstance(refused, TooLargeError)
    assert "10000008 bytes" in str(refused)


@pytest.mark.parametrize(
    "filling",
    [
        '"' + '\\"' * 250_000,
        "[" + "{}," * 300_000 + "{}]",
        "[" + "[],[" * 100_000,
        "{" + ",".join(f'"k{n}":{n}' for n in range(60_000)) + "}",
        json.dumps("\u202e" * 150_000),
    ],
)
def test_a_full_megabyte_costs_little(filling):
    data = json.dumps(tor_client())[:-1].encode() + b',"more":' + filling.encode() + b"}"
    assert len(data) <= MAX_BYTES
    before = time.perf_counter()
    answer(data)
    assert time.perf_counter() - before < 3


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "cut off"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"id": "\xc3\x28"}', "not UTF-8"),
        (b'{"severity": NaN}', "NaN"),
        (b'{"severity": -Infinity}', "Infinity"),
        (b'{"severity": 1e999}', "1e999"),
        (b'{"severity": ' + b"9" * 5000 + b"}", "cannot be read"),
        (b'{"id": 1, "id": 2}', "'id' twice"),
        (b'{"a": {"\\u0062": 1, "b": 2}}', "'b' twice"),
        (b"[]", "JSON array"),
        (b'"finding"', "JSON string"),
        (b"null", "JSON null"),
        (b"true", "JSON boolean"),
        (b"12", "JSON number"),
        (b"{'id': 1}", "not JSON"),
        (b'{"a":1} {"a":1}', "not JSON"),
        (b"<html>", "not JSON"),
    ],
)
def test_what_is_not_strict_json_is_refused(data, says):
    refused = answer(data)
    assert isinstance(refused, NotJsonError)
    assert says in str(refused)


@pytest.mark.parametrize("char", HIDING)
@pytest.mark.parametrize(
    "at",
    [
        ("id",),
        ("accountId",),
        ("region",),
        ("type",),
        ("title",),
        ("partition",),
        ("resource", "instanceDetails", "instanceId"),
        ("resource", "instanceDetails", "iamInstanceProfile", "arn"),
        ("service", "resourceRole"),
        ("service", "action", "networkConnectionAction", "connectionDirection"),
    ],
)
def test_text_that_hides_something_is_refused_where_it_would_be_shown(at, char):
    found = tor_client()
    inner = found
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = f"{inner[at[-1]]}{char}"
    refused = answer(json.dumps(found).encode())
    assert isinstance(refused, HostileTextError)
    assert f"U+{ord(char[0]):04X}" in str(refused)


@pytest.mark.parametrize("char", HIDING)
def test_an_attackers_text_elsewhere_does_not_silence_the_finding(char):
    found = tor_client()
    found["service"]["runtimeDetails"] = {"process": {"name": f"sh{char}"}}
    found["resource"]["instanceDetails"]["tags"] = [{"key": char, "value": char}]
    assert isinstance(answer(json.dumps(found).encode()), Alert)


def test_an_endless_identifier_is_refused():
    with pytest.raises(HostileTextError, match="5000 characters"):
        read(tor_client() | {"id": "a" * 5000})


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"hello": "world"},
        {"source": "aws.securityhub", "detail": {"findings": []}},
        {"Findings": [{"ProductArn": "arn:aws:securityhub:::product/aws/guardduty"}]},
        {"class_uid": 2004, "finding_info": {}},
    ],
)
def test_another_source_is_told_what_we_read(document):
    with pytest.raises(UnknownSourceError, match="get-findings"):
        read(document)


def test_an_envelope_around_nothing_is_refused():
    with pytest.raises(FieldError, match="detail"):
        read(enveloped("text"))


def test_a_byte_order_mark_is_skipped():
    assert isinstance(answer(b"\xef\xbb\xbf" + WHOLE), Alert)


def test_a_naive_time_of_receipt_is_the_callers_mistake():
    naive = datetime(2026, 3, 4) + timedelta(0)  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        read_alert(WHOLE, received=naive)
