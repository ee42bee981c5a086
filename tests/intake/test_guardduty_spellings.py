"""A finding is the same finding however AWS spells it and whatever AWS wraps it in."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from guardduty_findings import (
    ACCOUNT,
    FINDINGS,
    RECEIVED,
    REGION,
    UID,
    as_api,
    bad_caller,
    enveloped,
    probed_host,
    read,
    read_bucket,
    respelled,
    sequence,
    stolen_role,
    tor_client,
)
from hypothesis import given
from hypothesis import strategies as st

from playbooks.intake.errors import FieldError


def content(alert):
    return replace(alert, raw_sha256="")


@pytest.mark.parametrize("make", FINDINGS)
def test_both_spellings_with_and_without_envelope_are_one_alert(make):
    plain = content(read(make()))
    assert plain.problems == ()
    for form in (as_api(make()), enveloped(make()), enveloped(as_api(make()))):
        assert content(read(form)) == plain
    assert content(read({"Findings": [as_api(make())]})) == plain
    assert content(read({"findings": [make()]})) == plain


@given(st.sampled_from(FINDINGS), st.data())
def test_spellings_may_be_mixed_name_by_name(make, data):
    mixed = respelled(make(), lambda: data.draw(st.booleans()))
    # `sample` and its neighbours are keys of GuardDuty's own making, spelled as they are.
    assert content(read(mixed)) == content(read(make()))


def test_a_host_is_read_in_full():
    alert = read(enveloped(as_api(tor_client())))
    assert (alert.source, alert.account, alert.region) == ("guardduty", ACCOUNT, REGION)
    assert (alert.partition, alert.uid, alert.count) == ("aws", UID, 2)
    assert alert.finding_type == "UnauthorizedAccess:EC2/TorClient"
    assert (alert.severity, alert.severity_id) == (8.0, 4)
    assert (alert.resource.kind, alert.resource.uid) == ("instance", "i-0a1b2c3d4e5f60718")
    assert alert.resource.instance_profile_arn.endswith(":instance-profile/web/front")
    assert alert.first_seen == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 3, 4, 11, tzinfo=UTC)
    assert alert.received == RECEIVED
    assert (alert.sample, alert.archived) == (False, False)
    assert (alert.resource_role, alert.connection_direction) == ("TARGET", "OUTBOUND")
    assert alert.remote_ips == ("203.0.113.99",)


def test_a_long_term_key_and_an_assumed_role_are_different_things():
    key, role = read(bad_caller()).resource, read(stolen_role()).resource
    assert (key.kind, key.uid, key.user_name) == ("access_key", "AKIAQQQQWWWWEEEERRRR", "deploy")
    assert key.role_name is None
    assert (role.kind, role.uid, role.role_name) == ("role", "front", "front")
    assert role.access_key_id == "ASIAQQQQWWWWEEEERRRR"
    assert role.instance_id == "i-0a1b2c3d4e5f60718"


def test_bucket_probe_and_sequence_name_what_they_can():
    bucket = read(read_bucket()).resource
    assert (bucket.kind, bucket.uid, bucket.access_key_id) == (
        "bucket",
        "shop-orders",
        "AKIAQQQQWWWWEEEERRRR",
    )
    assert read(probed_host()).remote_ips == ("203.0.113.99",)
    joined = read(sequence())
    assert (joined.resource.kind, joined.resource.uid) == ("attack_sequence", None)
    assert joined.remote_ips == ("203.0.113.99",)


@pytest.mark.parametrize(
    ("stated", "block", "kind", "uid"),
    [
        ("Lambda", {"lambdaDetails": {"functionName": "f"}}, "function", "f"),
        (
            "RDSDBInstance",
            {"rdsDbInstanceDetails": {"dbInstanceIdentifier": "d"}},
            "database",
            "d",
        ),
        (
            "RDSLimitlessDB",
            {"rdsLimitlessDbDetails": {"dbShardGroupIdentifier": "g"}},
            "database",
            "g",
        ),
        ("EKSCluster", {"eksClusterDetails": {"name": "c"}}, "eks_cluster", "c"),
        ("Kubernetes cluster", {"eksClusterDetails": {"name": "c"}}, "eks_cluster", "c"),
        ("ECSCluster", {"ecsClusterDetails": {"name": "c"}}, "ecs_cluster", "c"),
        ("Container", {"containerDetails": {"id": "0a"}}, "container", "0a"),
        ("S3Object", {"s3BucketDetails": [{"name": "bkt"}]}, "object", "bkt"),
    ],
)
def test_each_kind_of_resource_has_its_id(stated, block, kind, uid):
    found = tor_client() | {"resource": {"resourceType": stated, **block}}
    for form in (found, as_api(found)):
        alert = read(form)
        assert (alert.resource.kind, alert.resource.uid, alert.problems) == (kind, uid, ())


def test_a_name_in_both_spellings_is_refused():
    found = tor_client() | {"Severity": 1}
    with pytest.raises(FieldError, match="both severity and Severity"):
        read(found)


def test_the_owner_is_the_findings_account_and_not_the_administrators():
    alert = read(enveloped(tor_client(), account="444455556666"))
    assert (alert.account, alert.problems) == (ACCOUNT, ())


@given(st.integers(min_value=1, max_value=10**9))
def test_more_occurrences_keep_the_key(count):
    again = tor_client()
    again["service"] |= {"count": count, "eventLastSeen": "2026-03-04T11:30:00Z"}
    again |= {"updatedAt": "2026-03-04T11:30:00Z", "severity": 9.5}
    assert read(again).count == count
    assert read(again).dedupe_key == read(tor_client()).dedupe_key


@pytest.mark.parametrize("field", ["id", "accountId", "region"])
def test_another_finding_account_or_region_is_another_key(field):
    other = {"id": "b" * 32, "accountId": "444455556666", "region": "eu-west-2"}[field]
    assert read(tor_client() | {field: other}).dedupe_key != read(tor_client()).dedupe_key
