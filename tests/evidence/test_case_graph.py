"""The case as a CASE/UCO graph: other people's validator takes it, and it says what entries say."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rdflib import Graph, Namespace

from evidence import bag
from evidence.sources.item import Item
from evidence.verify import verify_bundle
from tests.evidence.chamber import USER_DATA, fill, make_chamber
from tests.evidence.forgery import rebag, restate

CASE = Namespace("https://ontology.caseontology.org/case/investigation/")
CORE = Namespace("https://ontology.unifiedcyberontology.org/uco/core/")
OBSERVABLE = Namespace("https://ontology.unifiedcyberontology.org/uco/observable/")
TYPES = Namespace("https://ontology.unifiedcyberontology.org/uco/types/")
ODD = '\u202e\x00"\\<script>\n\U0001f600'


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    chamber = make_chamber(tmp_path_factory.mktemp("chamber"))
    fill(chamber)
    chamber.keep(Item(ODD, "text/plain", b"odd", False, ODD))
    chamber.integrate()
    bundle = chamber.export()
    yield chamber, bundle
    chamber.engine.dispose()


def test_the_validator_of_case_finds_nothing_at_all_to_say(original):
    # Slow (it loads all of CASE): run once, on the bundle that has everything in it.
    validator = Path(sys.executable).with_name("case_validate")
    ran = subprocess.run(
        [validator, "--format", "human", "--allow-info", original[1] / bag.CASE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Conforms: True" in ran.stdout
    assert "Severity" not in ran.stdout, ran.stdout


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_each_artifact_has_its_exhibit_number_and_the_hash_of_the_bytes_beside_it(original):
    _, bundle = original
    graph = Graph().parse(bundle / bag.CASE, format="json-ld")
    query = """SELECT ?number ?value ?method ?size WHERE {
        ?action a case:InvestigativeAction ; action:result ?record, ?object .
        ?record a case:ProvenanceRecord ; case:exhibitNumber ?number ; core:object ?object .
        ?object core:hasFacet ?facet .
        ?facet a observable:ContentDataFacet ; observable:hash ?hash ;
               observable:sizeInBytes ?size .
        ?hash types:hashMethod ?method ; types:hashValue ?value }"""
    spaces = {
        "case": CASE,
        "core": CORE,
        "observable": OBSERVABLE,
        "types": TYPES,
        "action": Namespace("https://ontology.unifiedcyberontology.org/uco/action/"),
    }
    found = {}
    for row in graph.query(query, initNs=spaces):
        assert str(row.method) == "SHA256"
        found[str(row.number)] = (row.value.toPython().hex(), int(row.size))
    held = {
        (hashlib.sha256(data).hexdigest(), len(data))
        for data in (path.read_bytes() for path in (bundle / bag.ARTIFACTS).iterdir())
    }
    assert set(found.values()) == held
    assert sorted(found) == ["INC-1/2", "INC-1/4", "INC-1/6", "INC-1/9"]
    numbers = [node.get("@id") for node in json.loads((bundle / bag.CASE).read_bytes())["@graph"]]
    assert len(set(numbers)) == len(numbers)


def test_what_was_erased_or_sealed_is_not_in_the_graph(chamber):
    fill(chamber)
    with chamber.begin() as conn:
        conn.exec_driver_sql("DELETE FROM ledger_openings")
    bundle = chamber.export()
    data = (bundle / bag.CASE).read_bytes()
    for word in (b"alice", b"i-0a1b2c3d", b"user_data", USER_DATA.data[:9]):
        assert word not in data
    nodes = json.loads(data)["@graph"]
    kinds = [node["@type"].partition(":")[2] for node in nodes]
    assert kinds == ["InvestigativeAction"] * 7 + ["Investigation"]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda data: data.replace(b"alice", b"malice"), 1, "is not what ledger entries"),
        (lambda data: data.replace(b"graph:1", b"graph:2"), 2, "is not in the form urn:stanch"),
        (None, 2, "is missing"),
    ],
    ids=["edited", "of a form to come", "dropped"],
)
def test_the_holder_of_the_manifest_key_cannot_tell_programs_otherwise(
    original, copy, change, code, said
):
    path = copy / bag.CASE
    if change:
        path.write_bytes(change(path.read_bytes()))
    else:
        path.unlink()
    rebag(copy)
    restate(copy, original[0].signer)
    verdict = verify_bundle(copy, original[0].trust)
    assert verdict.exit_code == code
    (problem,) = verdict.problems
    assert problem.file == bag.CASE
    assert problem.what.startswith(said)
