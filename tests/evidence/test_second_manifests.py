"""Both verifiers know the same forms of a manifest, whoever signed it."""

import json
import random

import pytest

from evidence import bag
from evidence.canonical import canonical
from evidence.errors import EvidenceError
from evidence.manifest import read_manifest, to_dict
from tests.evidence import mutations
from tests.evidence.chamber import fill, make_chamber
from tests.evidence.second import texts
from tests.evidence.second.artifacts import check_manifest
from tests.evidence.second.findings import LackingError, WrongError
from tests.evidence.test_manifest import TOLD


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    chamber = make_chamber(tmp_path_factory.mktemp("chamber"))
    fill(chamber)
    folder = chamber.export() / bag.MANIFESTS
    chamber.engine.dispose()
    made = [mutations.payload_of(path) for path in sorted(folder.iterdir())]
    return [*made, json.loads(canonical(to_dict(TOLD)))]


def shipped_reads(manifest: object) -> bool:
    try:
        read_manifest(canonical(manifest))
    except EvidenceError:
        return False
    return True


def second_reads(manifest: object) -> bool:
    try:
        check_manifest(texts.canonical(canonical(manifest)))
    except (WrongError, LackingError):
        return False
    return True


def test_both_know_the_same_forms_of_a_manifest(manifests):
    told = set()
    for seed in range(600):
        chance = random.Random(seed)
        manifest = json.loads(json.dumps(chance.choice(manifests)))
        said = mutations.edit_value(manifest, chance)
        if said != "wrapped_key other":  # told of below
            told.add(shipped_reads(manifest))
            assert shipped_reads(manifest) is second_reads(manifest), f"seed {seed}: {said}"
    assert told == {True, False}


@pytest.mark.parametrize(
    ("gaps", "allowed"),
    [
        ([("0", "1")], True),
        ([("40", "2")], True),
        ([("0", "2"), ("2", "1")], True),
        ([("0", "0")], False),
        ([("0", "2"), ("1", "1")], False),
        ([("2", "1"), ("0", "1")], False),
        ([("00", "1")], False),
    ],
    ids=str,
)
def test_both_allow_the_same_gaps(manifests, gaps, allowed):
    manifest = next(one for one in manifests if one["plain"]["size"] == "42")
    told = [{"start": start, "size": size, "why": "x"} for start, size in gaps]
    assert shipped_reads(manifest | {"gaps": told}) is allowed
    assert second_reads(manifest | {"gaps": told}) is allowed


@pytest.mark.parametrize("reads", [shipped_reads, second_reads])
def test_a_gap_lies_within_the_content(manifests, reads):
    manifest = next(one for one in manifests if one["plain"]["size"] == "42")
    assert not reads(manifest | {"gaps": [{"start": "40", "size": "3", "why": "x"}]})
    assert reads(manifest | {"gaps": [{"start": "42", "size": "3", "why": "it ended early"}]})


@pytest.mark.parametrize("reads", [shipped_reads, second_reads])
def test_a_wrapped_key_is_hex(manifests, reads):
    manifest = next(one for one in manifests if one["encryption"])
    assert not reads(manifest | {"encryption": manifest["encryption"] | {"wrapped_key": "x"}})
