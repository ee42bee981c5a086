"""The type says who is the suspect; resourceRole only where the type leaves it open."""

import pytest
from guardduty_findings import (
    FINDINGS,
    as_api,
    bad_caller,
    finding,
    probed_host,
    read,
    read_bucket,
    sequence,
    stolen_role,
    tor_client,
)

from playbooks.intake.known_types import known_types
from playbooks.intake.meaning import meaning

ROLES = ["ACTOR", "TARGET", None]
DIRECTIONS = ["INBOUND", "OUTBOUND", "UNKNOWN", None]
BRUTE_FORCE = [
    "UnauthorizedAccess:EC2/SSHBruteForce",
    "UnauthorizedAccess:EC2/RDPBruteForce",
    "Impact:EC2/WinRMBruteForce",
]
CUSTOM = "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom"


def means(found):
    return meaning(read(found), known_types())


def retold(found, finding_type, role, direction):
    found = found | {"type": finding_type}
    found["service"]["resourceRole"] = role
    flow = found["service"]["action"].setdefault("networkConnectionAction", {})
    flow["connectionDirection"] = direction
    return found


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (tor_client, "suspect"),
        (bad_caller, "suspect"),
        (stolen_role, "suspect"),
        (read_bucket, "victim"),
        (probed_host, "victim"),
        (sequence, "unknown"),
    ],
)
def test_the_type_decides_whatever_aws_says_of_the_role(make, expected, role, direction):
    found = make()
    assert means(retold(found, found["type"], role, direction)).role == expected


@pytest.mark.parametrize("finding_type", BRUTE_FORCE)
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("role", ROLES)
def test_the_role_decides_for_brute_force_but_not_against_the_traffic(
    finding_type, role, direction
):
    against = {("ACTOR", "INBOUND"), ("TARGET", "OUTBOUND")}
    expected = {"ACTOR": "suspect", "TARGET": "victim", None: "unknown"}[role]
    if (role, direction) in against:
        expected = "unknown"
    found = means(retold(tor_client(), finding_type, role, direction))
    assert found.role == expected
    assert "resourceRole" in found.why


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("direction", "expected"),
    [("OUTBOUND", "suspect"), ("INBOUND", "victim"), ("UNKNOWN", "unknown"), (None, "unknown")],
)
def test_the_direction_decides_for_the_teams_own_list(role, direction, expected):
    assert means(retold(tor_client(), CUSTOM, role, direction)).role == expected


@pytest.mark.parametrize("make", FINDINGS)
def test_an_unknown_type_only_proposes(make):
    found = means(make() | {"type": "Trojan:EC2/InventedTomorrow"})
    assert (found.type_known, found.role, found.reflex) == (False, "unknown", "none")
    assert (found.play, found.techniques) == (None, ())
    assert "InventedTomorrow" in found.why


@pytest.mark.parametrize("respell", [str.upper, str.lower, str.title])
def test_letter_case_of_the_type_does_not_count(respell):
    usual = means(tor_client())
    assert means(tor_client() | {"type": respell(tor_client()["type"])}) == usual
    rebind = tor_client() | {"type": "UnauthorizedAccess:EC2/MetaDataDNSRebind"}
    assert means(rebind).role == "victim"


@pytest.mark.parametrize("known", known_types().values(), ids=lambda known: known.type)
def test_every_type_means_something_for_each_of_its_resources_and_nothing_for_others(known):
    stated = {
        "instance": {"resourceType": "Instance"},
        "access_key": {"resourceType": "AccessKey"},
        "role": {"resourceType": "AccessKey", "accessKeyDetails": {"userType": "AssumedRole"}},
        "bucket": {"resourceType": "S3Bucket"},
        "object": {"resourceType": "S3Object"},
        "function": {"resourceType": "Lambda"},
        "database": {"resourceType": "RDSDBInstance"},
        "eks_cluster": {"resourceType": "EKSCluster"},
        "ecs_cluster": {"resourceType": "ECSCluster"},
        "container": {"resourceType": "Container"},
        "snapshot": {"resourceType": "EBSSnapshot"},
        "image": {"resourceType": "EC2Image"},
        "recovery_point": {"resourceType": "EBSRecoveryPoint"},
        "attack_sequence": {"resourceType": "AttackSequence"},
    }
    for kind, resource in stated.items():
        found = means(finding(known.type, resource, {}))
        assert found.type_known
        assert found.techniques == known.techniques
        if known.reflex != "key_disable":  # these findings name no key
            assert found.reflex == known.reflex
        assert found.retired == (known.status == "retired")
        assert found.play != "by_workload"
        if kind not in known.resource:
            assert found.role == "unknown"
        elif known.suspect in ("yes", "no"):
            assert found.role == {"yes": "suspect", "no": "victim"}[known.suspect]


@pytest.mark.parametrize(
    ("key", "user_type", "expected"),
    [
        ("AKIAQQQQWWWWEEEERRRR", "IAMUser", "key_disable"),
        ("ASIAQQQQWWWWEEEERRRR", "IAMUser", "session_deny"),
        ("ASIAQQQQWWWWEEEERRRR", "AssumedRole", "session_deny"),
        ("AKIAQQQQWWWWEEEERRRR", "Root", "none"),
        ("AKIAQQQQWWWWEEEERRRR", "AWSAccount", "none"),
        ("", "AWSService", "none"),
        ("", "IAMUser", "none"),
    ],
)
def test_the_reflex_fits_the_kind_of_credential(key, user_type, expected):
    for make in (bad_caller, read_bucket):
        found = make()
        found["resource"]["accessKeyDetails"] |= {"accessKeyId": key, "userType": user_type}
        assert means(found).reflex == expected


def test_sessions_of_the_root_user_cannot_be_denied():
    found = stolen_role()
    assert means(found).reflex == "session_deny"
    found["resource"]["accessKeyDetails"]["userType"] = "Root"
    assert means(found).reflex == "none"


def test_a_runtime_finding_asks_for_the_play_of_its_workload():
    shell = "Execution:Runtime/ReverseShell"
    host = finding(shell, {"resourceType": "Instance"}, {})
    pod = finding(shell, {"resourceType": "EKSCluster"}, {})
    assert means(host).play == "compromised_instance"
    assert means(pod).play == "compromised_container"


def test_meaning_does_not_depend_on_spelling():
    for make in FINDINGS:
        assert means(make()) == means(as_api(make()))
