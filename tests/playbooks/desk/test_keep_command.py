"""`stanch keep`: a file that a person brings is evidence of the case, with who, whence and why."""

import hashlib
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from evidence import jws, ledger
from evidence.custody.record import record
from evidence.custody.signing import sign, state
from evidence.custody.statement import BROUGHT
from evidence.errors import CustodyError
from evidence.manifest import TYP, Manifest, read_manifest
from evidence.verify_report import Exit
from playbooks.case.bringing import KEPT
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.wiring import people
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import load
from tests.evidence.agreed import verify_bundle
from tests.evidence.test_container_claims import MD5, SHA1, WHOLE
from tests.playbooks.desk.console import Ran, begin, stanch

CASE = "INC-0001"
DATA = random.Random(1).randbytes((1 << 20) + 77)


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    begin(tmp_path, monkeypatch, "alice")
    made = assemble(load())
    db, record = Store(made.engine), Record("stanch", made.now, made.random)
    db.commit(lambda conn: record.note(conn, CASE, "case.open", {"finding": "x"}))
    Path("disk.img").write_bytes(DATA)
    return made


def keep(file: str, *more: str) -> Ran:
    given = ("--source", "host web-7, /dev/sda", "--authority", "5 Gs 12/26", "--key", "alice.key")
    return stanch("keep", CASE, file, *given, *more, "--json")


def manifest(parts: Parts, body: dict[str, Any]) -> Manifest:
    token = parts.locker.read(body["manifest_sha256"]).decode()
    key = parts.keys.manifest
    return read_manifest(jws.verify(token, {key.kid: key.key.public_key()}, TYP))


def test_what_is_brought_is_kept_whole_with_who_whence_and_why(parts: Parts) -> None:
    right = hashlib.md5(DATA).hexdigest()
    body = keep("disk.img", "--claim", f"md5={right}", "--claim", "serial=WX-1").json
    assert body["brought_by"] == "alice"
    assert body["authority"] == "5 Gs 12/26"
    assert body["target"] == "host web-7, /dev/sda"
    assert body["compared"] == {"md5": "agrees"}
    assert body["claims"] == [
        {"by": "whoever brought it", "name": "md5", "value": right},
        {"by": "whoever brought it", "name": "serial", "value": "WX-1"},
    ]
    found = manifest(parts, body)
    assert (found.name, found.sensitive, found.gaps) == ("disk.img", True, ())
    assert found.source_stable
    assert found.encryption is not None
    wrap = parts.keys.wrap
    assert parts.locker.open_sensitive(found.stored_sha256, found.encryption, wrap) == DATA
    shown = stanch("custody", "show", CASE, "--json").json
    assert [one["artifact_id"] for one in shown["artifacts"]] == [body["artifact_id"]]
    assert shown["problems"] == []


def test_a_hash_that_the_file_does_not_have_is_said_and_the_file_kept(parts: Parts) -> None:
    body = keep("disk.img", "--claim", f"sha256={'0' * 64}").json
    assert body["compared"] == {"sha256": "differs"}
    args = ("--source", "s", "--authority", "a", "--key", "alice.key", "--claim", f"md5={'0' * 32}")
    assert "md5 differs with what you said" in stanch("keep", CASE, "disk.img", *args).out


def test_what_an_image_says_of_itself_is_a_claim_of_its_manifest(parts: Parts) -> None:
    Path("img.E01").write_bytes(WHOLE)
    body = keep("img.E01", "--no-sensitive").json
    found = manifest(parts, body)
    assert found.plain_digest == found.stored_sha256 == hashlib.sha256(WHOLE).hexdigest()
    told = {one.name: one.value for one in found.claims}
    assert told["md5 of the medium"] == MD5.hex()
    assert told["sha1 of the medium"] == SHA1.hex()
    assert {one.by for one in found.claims} == {"the file, as EWF-E01"}


def test_a_malformed_container_is_kept_as_it_is_with_a_note(parts: Parts) -> None:
    broken = WHOLE[:200] + b"\xff" * 50 + WHOLE[250:]
    Path("img.E01").write_bytes(broken)
    body = keep("img.E01", "--no-sensitive").json
    assert any("malformed" in note for note in body["notes"])
    assert parts.locker.read(body["stored_sha256"]) == broken


def test_each_time_is_a_new_acquisition_beside_the_first(parts: Parts) -> None:
    first, second = keep("disk.img").json, keep("disk.img").json
    assert first["artifact_id"] != second["artifact_id"]
    shown = stanch("custody", "show", CASE, "--json").json
    assert len(shown["artifacts"]) == 2


def test_what_has_no_end_or_is_not_there_is_refused_and_nothing_is_kept(parts: Parts) -> None:
    os.mkfifo("pipe")
    for file, why in (("pipe", "neither a file"), ("/dev/zero", "neither"), ("none", "no such")):
        ran = keep(file)
        assert (ran.status, why in ran.err) == (1, True), ran.err
    ran = keep("disk.img", "--claim", "md5=12")
    assert (ran.status, "md5 has 32 hex digits" in ran.err) == (1, True)
    assert stanch("custody", "show", CASE, "--json").json["artifacts"] == []


def test_an_unknown_case_or_person_keeps_nothing(parts: Parts) -> None:
    given = ("--source", "s", "--authority", "a")
    ran = stanch("keep", "INC-9", "disk.img", *given, "--key", "alice.key")
    assert (ran.status, "no incident" in ran.err) == (1, True)
    stanch("person", "eve", "--key", "eve.key")
    ran = stanch("keep", CASE, "disk.img", *given, "--key", "eve.key")
    assert (ran.status, "nobody" in ran.err) == (1, True)
    assert not list(parts.locker.root.glob("??/*"))


def test_what_is_brought_stands_in_a_bundle_that_verifies(parts: Parts) -> None:
    keep("disk.img", "--claim", "serial=WX-1")
    assert stanch("export", CASE, "-o", "bundle").status == 0
    trust = json.loads((parts.settings.home / "keys" / "trust.json").read_text())
    verdict = verify_bundle(Path("bundle"), trust)
    assert (verdict.exit_code, verdict.problems) == (Exit.UNWITNESSED, ())
    timeline = json.loads(Path("bundle/data/case/timeline.json").read_text())
    [signed] = [one["body"] for one in timeline if one["kind"] == "custody.brought"]
    assert [one["name"] for one in signed["signatures"]] == ["alice"]
    said = signed["statement"]
    assert (said["origin"], said["reason"]) == ("host web-7, /dev/sda", "5 Gs 12/26")


def test_who_brought_it_can_be_left_out_of_a_bundle(parts: Parts) -> None:
    keep("disk.img", "--claim", "serial=WX-1")
    assert stanch("export", CASE, "-o", "whole").status == 0
    assert stanch("export", CASE, "-o", "bundle", "--without-personal").status == 0
    trust = json.loads((parts.settings.home / "keys" / "trust.json").read_text())
    verdict = verify_bundle(Path("bundle"), trust)
    assert (verdict.exit_code, verdict.problems) == (Exit.UNWITNESSED, ())

    def naming(bundle: str) -> list[str]:
        return [
            p.name for p in Path(bundle).rglob("*") if p.is_file() and b"alice" in p.read_bytes()
        ]

    assert "entries.jsonl" in naming("whole")
    assert naming("bundle") == []


def test_a_statement_about_other_bytes_is_refused_and_nothing_is_recorded(parts: Parts) -> None:
    db, key = Store(parts.engine), people.who(parts.settings, Path("alice.key"))[1]
    body = keep("disk.img").json
    name = db.read(lambda conn: ledger.pseudonym(conn, CASE))
    kept = {one: body[one] for one in KEPT} | {"stored_sha256": "0" * 64}
    said = state(BROUGHT, name, parts.now(), "a warrant", origin="web-7", kept=[kept])
    entry = ledger.Entry(
        BROUGHT,
        CASE,
        {"statement": dict(said), "signatures": [sign(said, "alice", key)]},
        "alice",
        parts.now(),
    )
    known, at = people.known(parts.settings), parts.now()
    with pytest.raises(CustodyError, match="other hashes"):
        db.commit(lambda c: record(c, entry, known, record_time=at, salt=bytes(32)))


def test_what_gives_nothing_and_has_no_size_ends_with_a_gap(parts: Parts) -> None:
    # Nothing is mapped at the beginning of a process's memory: the kernel answers EIO.
    body = keep("/proc/self/mem").json
    assert (body["size"], body["gaps"]) == ("0", "1")
    [gap] = manifest(parts, body).gaps
    assert (gap.start, gap.why) == (0, "Input/output error")
