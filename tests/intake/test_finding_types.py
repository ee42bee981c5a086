"""The table of finding types is complete, keeps its schema, and agrees with its source."""

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from playbooks.intake.errors import FindingTypesError
from playbooks.intake.known_types import known_types, read_types

SOURCE = Path(__file__).resolve().parents[2] / "../shared/research/guardduty_findings.yaml"
BY_ROLE = {
    "UnauthorizedAccess:EC2/SSHBruteForce",
    "UnauthorizedAccess:EC2/RDPBruteForce",
    "Impact:EC2/WinRMBruteForce",
}
GOOD = {
    "shared": {"status": "active", "resource": ["instance"], "confidence": "seen"},
    "types": [
        {
            "type": "Trojan:EC2/Example",
            "means": "The host does something bad",
            "severity": "high",
            "suspect": "yes",
            "reflex": "isolate",
            "play": "compromised_instance",
            "techniques": ["T1071", "T1568.002", "AML.T0040"],
        }
    ],
}


def load(**changes):
    entry = {k: v for k, v in (GOOD["types"][0] | changes).items() if v is not None}
    return read_types({"one.yaml": yaml.safe_dump(GOOD | {"types": [entry]})})


def test_two_hundred_and_fifty_types_are_known():
    types = known_types()
    assert len(types) == 250
    assert sum(each.status == "active" for each in types.values()) == 225
    assert all(name == each.type.lower() for name, each in types.items())


def test_only_the_brute_force_types_ask_resource_role():
    by_role = {each.type for each in known_types().values() if each.suspect == "by_role"}
    by_direction = [each.type for each in known_types().values() if each.suspect == "by_direction"]
    assert by_role == BY_ROLE
    assert by_direction == ["UnauthorizedAccess:EC2/MaliciousIPCaller.Custom"]


def test_every_reflex_fits_what_it_is_done_to():
    holds = {
        "key_disable": {"access_key", "bucket", "attack_sequence"},
        "bucket_block": {"bucket"},
        "isolate": {
            "instance",
            "eks_cluster",
            "ecs_cluster",
            "container",
            "function",
            "attack_sequence",
        },
    }
    for each in known_types().values():
        if each.reflex in holds:
            assert set(each.resource) & holds[each.reflex], each.type
        if each.status == "retired":
            assert each.reflex == "none", each.type


def test_our_words_are_short_and_one_for_each_type():
    meanings = [each.means for each in known_types().values()]
    assert max(map(len, meanings)) <= 90
    twice = {each for each in meanings if meanings.count(each) > 1}
    assert not twice


def test_the_data_ships_with_the_package():
    names = {each.name for each in (files("playbooks.intake") / "finding_types").iterdir()}
    assert {"ec2_traffic.yaml", "retired.yaml"} <= names


def test_we_judge_each_type_as_the_research_does():
    if not SOURCE.exists():
        pytest.skip(
            "no ../shared beside the repository: put research/guardduty_findings.yaml there"
        )
    theirs = {each["type"]: each for each in yaml.safe_load(SOURCE.read_text("utf-8"))["findings"]}
    ours = {each.type: each for each in known_types().values()}
    assert ours.keys() == theirs.keys()
    expected = {
        "suspect": {"yes"},
        "victim": {"no"},
        "either": {"by_role", "by_direction", "unknown"},
    }
    for name, each in ours.items():
        source = theirs[name]
        assert each.suspect in expected[source["role"]], name
        assert (each.reflex, each.status == "retired") == (source["reflex"], source["retired"]), (
            name
        )
        assert list(each.techniques) == source["tactic"]["techniques"], name
        assert each.play in (*source["play"].split("|"), "by_workload"), name
        assert each.severity in (source["default_severity"].lower(), "varies"), name
        assert each.means.lower() != source["meaning"].lower(), name


def test_a_good_table_loads():
    assert load()["trojan:ec2/example"].techniques == ("T1071", "T1568.002", "AML.T0040")


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": "field"},
        {"means": None},
        {"status": "active"},
        {"suspect": True},
        {"suspect": "maybe"},
        {"severity": "High"},
        {"reflex": "terminate"},
        {"play": "Compromised Instance"},
        {"techniques": []},
        {"techniques": "T1071"},
        {"techniques": ["T10"]},
        {"type": "Trojan EC2"},
        {"means": "Ends with a stop."},
        {"means": 7},
    ],
)
def test_a_field_or_value_outside_the_schema_is_refused(changes):
    with pytest.raises(FindingTypesError, match=r"^one\.yaml"):
        load(**changes)


@pytest.mark.parametrize(
    "text",
    [
        "shared: {}",
        "- a",
        "shared: []\ntypes: []",
        "shared: {}\ntypes: [text]",
        "shared: {}\nshared: {}\ntypes: []",
        "shared: {",
        "shared: !!python/object/apply:os.getcwd []\ntypes: []",
    ],
)
def test_another_shape_is_refused(text):
    with pytest.raises(FindingTypesError, match=r"^one\.yaml"):
        read_types({"one.yaml": text})


def test_a_type_that_stands_twice_is_refused_whatever_its_case():
    text = yaml.safe_dump(GOOD)
    with pytest.raises(FindingTypesError, match="twice"):
        read_types({"one.yaml": text, "two.yaml": text.replace("EC2/Example", "EC2/EXAMPLE")})
