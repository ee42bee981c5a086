"""`stanch redact`: a reviewer signs a copy that lacks what the map names; the original stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from evidence import ledger
from evidence.custody.record import view
from evidence.sources.item import Item
from evidence.verify import verify_bundle
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import Ran, begin, stanch
from tests.playbooks.desk.test_custody_command import keep

CASE = "INC-0001"
WHY = {"basis": "GDPR art. 17", "reason": "a bystander"}
FACTS = Item("iam.user", "application/json", b'{"name":"eve","key":"AKIA1"}', False, "iam.get_user")
LOG = Item("host.log", "text/plain", b"login of mallory from 192.0.2.7\n", True, "host.log")
POINTER = {"form": "json", "redactions": [{"pointer": "/name"} | WHY]}
RANGES = {
    "form": "bytes",
    "redactions": [
        {"start": "9", "size": "7", "length": "hidden"} | WHY,
        {"start": "22", "size": "9", "length": "kept"} | WHY,
    ],
}


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    begin(tmp_path, monkeypatch, "alice", "bob")
    made = assemble(load())
    keep(made, FACTS, LOG)
    return made


def named(parts: Parts, name: str) -> str:
    found = Store(parts.engine).read(lambda c: view(c, CASE)).artifacts.values()
    return next(one.artifact_id for one in found if one.name == name)


def redact(artifact: str, wanted: Any, *more: str) -> Ran:
    Path("map.json").write_text(json.dumps(wanted))
    said = ("--map", "map.json", "--reason", "for the court", "--key", "alice.key")
    return stanch("redact", CASE, artifact, *said, *(more or ("-o", "copy")))


def test_the_copy_lacks_what_the_map_names_and_says_what_it_is_from(parts: Parts) -> None:
    done = redact(named(parts, "iam.user"), POINTER)
    assert (done.status, done.err, "lies in the clear" in done.out) == (0, "", True)
    assert Path("copy").read_bytes() == b'{"key":"AKIA1","name":"[redacted]"}'
    done = redact(named(parts, "host.log"), RANGES, "-o", "copy2")
    assert (done.status, done.err, "lies in the clear" in done.out) == (0, "", False)
    assert Path("copy2").read_bytes() == b"login of [redacted] from XXXXXXXXX\n"
    state = Store(parts.engine).read(lambda c: view(c, CASE))
    assert not state.problems
    assert [one.name for one in state.artifacts.values()][2:] == [
        "iam.user.redaction-map",
        "iam.user.redacted",
        "host.log.redaction-map",
        "host.log.redacted",
    ]
    assert not any(one.sensitive for one in list(state.artifacts.values())[2:])
    kinds = Store(parts.engine).read(lambda c: [e.leaf.kind for e in ledger.entries(c, CASE)])
    assert kinds[-3:] == ["artifact.stored", "artifact.stored", "redaction"]


def test_a_copy_can_be_kept_sealed_and_be_redacted_further(parts: Parts) -> None:
    assert redact(named(parts, "host.log"), RANGES, "-o", "copy", "--sealed").status == 0
    state = Store(parts.engine).read(lambda c: view(c, CASE))
    assert state.artifacts[named(parts, "host.log.redacted")].sensitive
    more = {"form": "bytes", "redactions": [{"start": "0", "size": "5", "length": "kept"} | WHY]}
    assert redact(named(parts, "host.log.redacted"), more, "-o", "copy2").status == 0
    assert Path("copy2").read_bytes() == b"XXXXX of [redacted] from XXXXXXXXX\n"


@pytest.mark.parametrize("wrong", ["no map", "beyond", "nowhere", "stranger", "unknown", "there"])
def test_what_is_refused_leaves_nothing(parts: Parts, wrong: str) -> None:
    facts, log = named(parts, "iam.user"), named(parts, "host.log")
    beyond = {"form": "bytes", "redactions": [{"start": "30", "size": "9", "length": "kept"} | WHY]}
    if wrong == "no map":
        done, why = redact(log, {"form": "bytes"}), "exactly form and redactions"
    elif wrong == "beyond":
        done, why = redact(log, beyond), "within the content"
    elif wrong == "nowhere":
        nowhere = {"form": "json", "redactions": [{"pointer": "/x"} | WHY]}
        done, why = redact(facts, nowhere), "there is no '/x'"
    elif wrong == "stranger":
        stanch("person", "eve", "--key", "eve.key")
        done, why = redact(log, RANGES, "-o", "copy", "--key", "eve.key"), "key of nobody"
    elif wrong == "unknown":
        done, why = redact("ab" * 16, RANGES), "is none of this case"
    else:
        Path("copy").write_text("kept")
        done, why = redact(log, RANGES), "is never written over"
    assert (done.status, why in done.err) == (1, True), done.err
    assert not Path("copy").exists() or wrong == "there"
    state = Store(parts.engine).read(lambda c: view(c, CASE))
    assert len(state.artifacts) == 2


def test_an_original_whose_hash_lets_guesses_be_tested_is_not_withheld_unasked(
    parts: Parts,
) -> None:
    assert redact(named(parts, "iam.user"), POINTER).status == 0
    refused = stanch("export", CASE, "-o", "bundle", "--redacted")
    assert (refused.status, "Add --guessable" in refused.err) == (1, True)
    assert not Path("bundle").exists()
    done = stanch("export", CASE, "-o", "bundle", "--redacted", "--guessable")
    assert (done.status, "without artifact" in done.out) == (0, True), done.err


def test_copies_are_exported_in_place_of_their_originals(parts: Parts) -> None:
    none = stanch("export", CASE, "-o", "bundle", "--redacted")
    assert (none.status, "has no redacted copy to give" in none.err) == (1, True)
    assert redact(named(parts, "host.log"), RANGES).status == 0
    done = stanch("export", CASE, "-o", "bundle", "--redacted")
    assert (done.status, "without artifact" in done.out) == (0, True), done.err
    verdict = verify_bundle(
        Path("bundle"), json.loads(Path("stanch-data/keys/trust.json").read_text())
    )
    assert (verdict.problems, len(verdict.withheld)) == ((), 1)
    [told] = Store(parts.engine).read(
        lambda c: [e.body for e in ledger.entries(c, CASE) if e.leaf.kind == "export"]
    )
    assert len(told["withheld"]["artifacts"]) == 1
