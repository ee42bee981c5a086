"""What is understood but cannot be trusted is said, and keeps a person in the loop."""

import json
import math

import pytest
from guardduty_findings import as_api, enveloped, read, stolen_role, tor_client
from hypothesis import given
from hypothesis import strategies as st

from playbooks.intake.errors import FieldError


@pytest.mark.parametrize("given_as", [True, "true", 1])
def test_a_sample_flag_is_seen_flat_and_hidden(given_as):
    found = tor_client()
    found["service"]["additionalInfo"]["sample"] = given_as
    assert read(found).sample
    assert read(as_api(found)).sample


def test_a_sample_flag_counts_from_either_place():
    found = tor_client()
    found["service"]["additionalInfo"] = {"sample": False, "value": '{"sample": true}'}
    assert read(found).sample


@pytest.mark.parametrize(
    ("at", "name", "value"),
    [
        (("resource", "instanceDetails"), "instanceId", "i-99999999"),
        (("service", "action", "networkConnectionAction", "remoteIpDetails"), "ipAddressV4",
         "198.51.100.0"),
        ((), "title", "[SAMPLE] The host enters Tor"),
    ],
)  # fmt: skip
def test_placeholders_of_samples_count_without_a_flag(at, name, value):
    found = tor_client()
    inner = found
    for step in at:
        inner = inner[step]
    inner[name] = value
    assert read(found).sample
    assert not read(tor_client()).sample


def test_a_generated_name_is_a_sample():
    found = stolen_role()
    found["resource"]["accessKeyDetails"]["userName"] = "GeneratedFindingUserName"
    assert read(found).sample


@pytest.mark.parametrize("value", ['{"sample": tr', '{"sample":true,"sample":false}', 7])
def test_additional_information_that_cannot_be_read_is_a_problem(value):
    found = tor_client()
    found["service"]["additionalInfo"] = {"type": "default", "value": value}
    assert any("additionalInfo.value" in problem for problem in read(found).problems)


@pytest.mark.parametrize("value", ["", "[]", "{}", None])
def test_empty_additional_information_is_none(value):
    found = tor_client()
    found["service"]["additionalInfo"] = {"type": "default", "value": value}
    assert (read(found).sample, read(found).problems) == (False, ())


@pytest.mark.parametrize(
    ("at", "name", "value", "says"),
    [
        ((), "accountId", "1234567891234", "account '1234567891234'"),
        ((), "region", "Ireland", "region 'Ireland'"),
        ((), "partition", "azure", "partition 'azure'"),
        ((), "type", "Something else", "finding type"),
        ((), "arn", "arn:aws:guardduty:eu-west-1:1:detector/0/finding/0", "names another finding"),
        ((), "resource", {}, "resource type '' is none we know"),
        (("resource",), "resourceType", "Toaster", "resource type 'Toaster'"),
        (("resource", "instanceDetails"), "instanceId", "i-0A1B", "instance id 'i-0A1B'"),
        (("resource", "instanceDetails"), "instanceId", "i-\u0430bcdef12", r"'i-\\u0430bcdef12'"),
        (("service",), "eventFirstSeen", "2026-03-04T11:59:00Z", "before first seen"),
        (("service",), "eventLastSeen", "2027-01-01T00:00:00Z", "in the future"),
    ],
)  # fmt: skip
def test_what_is_odd_is_listed_and_still_read(at, name, value, says):
    found = tor_client()
    inner = found
    for step in at:
        inner = inner[step]
    inner[name] = value
    problems = read(found).problems
    assert any(says.replace("\\\\", "\\") in problem for problem in problems), problems


def test_an_odd_envelope_is_listed():
    assert "account '1234567891234'" in read(enveloped(tor_client(), "1234567891234")).problems[0]


def test_an_envelope_may_lack_the_account():
    bare = enveloped(tor_client())
    del bare["account"]
    assert read(bare).problems == ()


def test_addresses_that_are_none_are_listed_and_many_are_cut():
    found = tor_client()
    flow = found["service"]["action"]["networkConnectionAction"]
    flow["remoteIpDetails"] = {"ipAddressV4": "203.0.113.300"}
    assert read(found).remote_ips == ()
    assert "203.0.113.300" in read(found).problems[0]
    found["service"]["action"] = {
        "portProbeAction": {
            "portProbeDetails": [
                {"remoteIpDetails": {"ipAddressV4": f"203.0.113.{n}"}} for n in range(100)
            ]
        }
    }
    assert len(read(found).remote_ips) == 64
    assert "100 remote addresses" in read(found).problems[0]


def test_two_buckets_are_not_one_to_contain():
    resource = {"resourceType": "S3Bucket", "s3BucketDetails": [{"name": "one"}, {"name": "two"}]}
    alert = read(tor_client() | {"resource": resource})
    assert alert.resource.uid is None
    assert "2 buckets" in alert.problems[0]


@pytest.mark.parametrize(
    ("region", "partition"),
    [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws")],
)
def test_a_missing_partition_follows_from_the_region(region, partition):
    found = tor_client() | {"region": region}
    del found["partition"], found["arn"]
    assert (read(found).partition, read(found).problems) == (partition, ())


def test_missing_service_fields_have_their_documented_stand_ins():
    found = tor_client()
    found["service"] = None
    del found["title"]
    alert = read(found)
    assert (alert.count, alert.archived, alert.resource_role) == (1, False, None)
    assert alert.title == alert.finding_type
    assert alert.last_seen.isoformat() == "2026-03-04T11:00:00+00:00"


@pytest.mark.parametrize(
    ("severity", "name"),
    [(1, 2), (3.9, 2), (4, 3), (4.0, 3), (6.9, 3), (7, 4), (8.9, 4), (9, 5), (10.0, 5)],
)
def test_severity_falls_into_aws_bands(severity, name):
    alert = read(tor_client() | {"severity": severity})
    assert (alert.severity, alert.severity_id) == (float(severity), name)


@given(
    st.one_of(st.none(), st.booleans(), st.text(), st.floats().filter(lambda n: not 1 <= n <= 10))
)
def test_a_severity_off_the_scale_is_refused(severity):
    if isinstance(severity, float) and not math.isfinite(severity):
        severity = 1e300
    with pytest.raises(FieldError, match="severity"):
        read(tor_client() | {"severity": severity})


@pytest.mark.parametrize("field", ["id", "type", "accountId", "region"])
@pytest.mark.parametrize("value", ["", 7, "two words: or more"])
def test_what_identifies_a_finding_is_needed(field, value):
    if (field, value) == ("type", "two words: or more"):
        assert read(tor_client() | {field: value}).problems
        return
    with pytest.raises(FieldError, match=field.replace("accountId", "account")):
        read(tor_client() | {field: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", 0),
        ("count", "2"),
        ("count", True),
        ("count", 2**60),
        ("archived", "false"),
        ("eventFirstSeen", "yesterday"),
        ("eventFirstSeen", "2026-03-04T10:00:00"),
        ("eventFirstSeen", "0001-01-01T00:00:00+23:00"),
        ("action", []),
        ("additionalInfo", [1]),
    ],
)
def test_a_misshapen_field_is_refused_by_name(name, value):
    found = tor_client()
    found["service"][name] = value
    with pytest.raises(FieldError, match=name):
        read(found)


def test_a_finding_without_any_time_is_refused():
    found = tor_client() | {"createdAt": None}
    del found["service"]["eventFirstSeen"]
    with pytest.raises(FieldError, match="a time was expected"):
        read(found)


def test_several_findings_are_not_one():
    with pytest.raises(FieldError, match="lists 2 findings"):
        read({"findings": [tor_client(), tor_client()]})


def test_the_normal_form_is_json_without_floats_and_says_everything():
    form = read(stolen_role() | {"accountId": "1234567891234"}).to_json()
    text = json.dumps(form, allow_nan=False)

    def refuse(number):
        raise AssertionError(number)

    assert json.loads(text, parse_float=refuse) == form
    assert form["class_uid"] == 2004
    assert form["resources"][0]["data"]["role_name"] == "front"
    assert form["finding_info"]["first_seen_time_dt"] == "2026-03-04T10:00:00Z"
    assert form["unmapped"]["severity_number"] == "8.0"
    assert form["unmapped"]["problems"]
