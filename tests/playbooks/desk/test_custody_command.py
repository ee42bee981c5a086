"""`stanch custody`: shown from the ledger, signed by two people at two desks, refused otherwise."""

import json
from pathlib import Path

import pytest

from evidence import ledger
from evidence.deposit import KIND, Acquisition, Custody, deposit
from evidence.sources.item import Item
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.case.story import timeline
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import Ran, begin, stanch

CASE = "INC-0001"
PLAIN = Item("ec2.describe", "application/json", b'{"state": "running"}', False, "ec2.describe")
SECRET = Item("ec2.user_data", "text/plain", b"TOKEN=hunter2", True, "ec2.user_data")


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    begin(tmp_path, monkeypatch, "alice", "bob")
    made = assemble(load())
    keep(made, PLAIN, SECRET)
    return made


def keep(parts: Parts, *items: Item) -> None:
    """Take items into custody as a play does."""
    db, record = Store(parts.engine), Record("stanch", parts.now, parts.random)
    db.commit(lambda conn: record.note(conn, CASE, "case.open", {"finding": "x"}))
    name = db.read(lambda conn: ledger.pseudonym(conn, CASE))
    custody = Custody(parts.locker, parts.keys.manifest, parts.keys.wrap, "0", parts.random)
    for item in items:
        about = Acquisition("facts", "i-1", name, parts.now(), parts.now())
        body = deposit(custody, item, about)
        db.commit(lambda conn, body=body: record.note(conn, CASE, KIND, body))


def custody(*args: str) -> Ran:
    return stanch("custody", *args)


def shown() -> dict:
    return custody("show", CASE, "--json").json


def test_a_hold_is_set_by_one_and_released_by_two(parts: Parts) -> None:
    assert custody("hold", CASE, "--reason", "litigation", "--key", "alice.key").status == 0
    [hold] = shown()["holds"]
    assert [one["holds"] for one in shown()["artifacts"]] == [[hold["id"]]] * 2
    assert "under hold" in custody("show", CASE).out

    release = ("release-hold", CASE, hold["id"], "--reason", "settled", "--key", "alice.key")
    alone = custody(*release)
    assert (alone.status, "needs two people" in alone.err) == (1, True)
    assert custody(*release, "-o", "paper.json").status == 0
    assert shown()["holds"][0]["released"] is None
    again = custody("sign", "paper.json", "--key", "alice.key", "--yes")
    assert (again.status, "alice signed twice" in again.err) == (1, True)
    unread = custody("sign", "paper.json", "--key", "bob.key")
    assert (unread.status, "add --yes" in unread.err) == (1, True)
    done = custody("sign", "paper.json", "--key", "bob.key", "--yes")
    assert (done.status, done.err) == (0, "")
    assert "settled" in done.out
    assert shown()["holds"][0]["released_by"] == ["alice", "bob"]
    assert [one["holds"] for one in shown()["artifacts"]] == [[], []]


def test_a_paper_that_was_changed_on_its_way_is_refused(parts: Parts) -> None:
    custody("hold", CASE, "--reason", "one", "--key", "alice.key")
    custody("hold", CASE, "--reason", "two", "--key", "alice.key")
    first, second = (one["id"] for one in shown()["holds"])
    said = ("--reason", "settled", "--key", "alice.key", "-o", "paper.json")
    custody("release-hold", CASE, first, *said)
    paper = json.loads(Path("paper.json").read_text())
    paper["statement"]["hold"] = second
    Path("paper.json").write_text(json.dumps(paper))
    ran = custody("sign", "paper.json", "--key", "bob.key", "--yes")
    assert (ran.status, "signature of alice is over another statement" in ran.err) == (1, True)
    assert [one["released"] for one in shown()["holds"]] == [None, None]


def test_a_paper_for_another_case_is_not_signed(parts: Parts) -> None:
    db, record = Store(parts.engine), Record("stanch", parts.now, parts.random)
    db.commit(lambda conn: record.note(conn, "INC-0002", "case.open", {"finding": "y"}))
    custody("hold", CASE, "--reason", "one", "--key", "alice.key")
    [hold] = shown()["holds"]
    said = ("--reason", "settled", "--key", "alice.key", "-o", "paper.json")
    custody("release-hold", CASE, hold["id"], *said)
    paper = json.loads(Path("paper.json").read_text()) | {"incident": "INC-0002"}
    Path("paper.json").write_text(json.dumps(paper))
    ran = custody("sign", "paper.json", "--key", "bob.key", "--yes")
    assert (ran.status, "about another case than INC-0002" in ran.err) == (1, True)


def test_a_timeline_tells_what_was_signed(parts: Parts) -> None:
    custody("hold", CASE, "--reason", "litigation", "--key", "alice.key")
    [hold] = shown()["holds"]
    told = Store(parts.engine).read(lambda conn: timeline(conn, CASE))
    assert [one["about"] for one in told if one["kind"] == "hold.set"] == [
        f"{hold['id']} litigation"
    ]


def test_a_case_that_is_not_there_is_said(parts: Parts) -> None:
    ran = custody("show", "INC-9")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "no incident 'INC-9'" in ran.err


def test_a_file_that_is_no_paper_is_said(parts: Parts) -> None:
    Path("paper.json").write_text("[]")
    ran = custody("sign", "paper.json", "--key", "bob.key", "--yes")
    assert (ran.status, "is no paper" in ran.err) == (1, True)


def ids(parts: Parts) -> dict[str, str]:
    return {one["name"]: one["artifact_id"] for one in shown()["artifacts"]}


def test_evidence_is_handed_over_from_the_locker_to_one_to_another_and_back(parts: Parts) -> None:
    plain = ids(parts)[PLAIN.name]
    said = ("--place", "room 4", "--reason", "analysis")
    ours = custody("transfer", CASE, plain, "--to", "alice", *said, "--key", "bob.key")
    assert (ours.status, "alice takes it from the locker" in ours.err) == (1, True)
    assert (
        custody("transfer", CASE, plain, "--to", "alice", *said, "--key", "alice.key").status == 0
    )

    on = ("transfer", CASE, plain, "--to", "bob", *said)
    assert "alice holds it" in custody(*on, "--key", "bob.key", "-o", "paper.json").err
    assert custody(*on, "--key", "alice.key", "-o", "paper.json").status == 0
    assert shown()["artifacts"][0]["holder"] == "alice"
    assert custody("sign", "paper.json", "--key", "bob.key", "--yes").status == 0
    back = custody("transfer", CASE, plain, "--to", "stanch", *said, "--key", "bob.key")
    assert (back.status, back.err) == (0, "")

    handed = shown()["artifacts"][0]
    assert handed["holder"] == "stanch"
    chain = [(one["giver"], one["taker"]) for one in handed["transfers"]]
    assert chain == [("stanch", "alice"), ("alice", "bob"), ("bob", "stanch")]
    nobody = custody("transfer", CASE, plain, "--to", "mallory", *said, "--key", "bob.key")
    assert (nobody.status, "mallory is nobody" in nobody.err) == (1, True)


def test_what_is_retained_is_kept_and_then_erased_by_two(parts: Parts, tmp_path: Path) -> None:
    secret = ids(parts)[SECRET.name]
    said = ("--reason", "policy", "--key", "alice.key")
    assert custody("retain", CASE, "--until", "2999-01-31", *said).status == 0
    shorter = custody("retain", CASE, "--until", "2998-01-31", *said)
    assert (shorter.status, "only extends" in shorter.err) == (1, True)
    assert shown()["artifacts"][0]["retain_until"] == "2999-02-01T00:00:00.000000Z"
    assert "expected 2027-01-31" in custody("retain", CASE, "--until", "soon", *said).err
    assert custody("dispose", CASE, secret, *said, "-o", "paper.json").status == 0
    kept = custody("sign", "paper.json", "--key", "bob.key", "--yes")
    assert (kept.status, "must be kept until 2999-02-01" in kept.err) == (1, True)
    assert custody("read", CASE, secret, "-o", "copy", *said).status == 0
    assert Path("copy").read_bytes() == SECRET.data


def test_disposal_makes_the_content_unreadable_and_leaves_its_hashes(parts: Parts) -> None:
    names = ids(parts)
    said = ("--reason", "over", "--key", "alice.key")
    before = next(a for a in shown()["artifacts"] if a["name"] == SECRET.name)
    plain = custody("dispose", CASE, names[PLAIN.name], *said, "-o", "no.json")
    assert (plain.status, "lies in the clear" in plain.err) == (1, True)
    assert custody("dispose", CASE, names[SECRET.name], *said, "-o", "paper.json").status == 0
    assert parts.locker.keys.there(before["stored_sha256"])
    assert custody("sign", "paper.json", "--key", "bob.key", "--yes").status == 0

    assert not parts.locker.keys.there(before["stored_sha256"])
    after = next(a for a in shown()["artifacts"] if a["name"] == SECRET.name)
    assert after["disposed_by"] == ["alice", "bob"]
    for name in ("stored_sha256", "manifest_sha256", "size"):
        assert after[name] == before[name]
    gone = custody("read", CASE, names[SECRET.name], "-o", "copy", *said)
    assert (gone.status, "was disposed of" in gone.err) == (1, True)
    assert not Path("copy").exists()
    assert "disposed of" in custody("show", CASE).out
    assert custody("check").status == 0
    assert stanch("export", CASE, "-o", "bundle").status == 0


def test_what_a_crash_left_of_a_disposal_is_finished_by_a_check(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = next(a for a in shown()["artifacts"] if a["name"] == SECRET.name)
    key = parts.locker.keys.get(secret["stored_sha256"])
    said = ("--reason", "over", "--key", "alice.key", "-o", "paper.json")
    custody("dispose", CASE, secret["artifact_id"], *said)
    custody("sign", "paper.json", "--key", "bob.key", "--yes")
    # As it is where the process died between the commit and the erasure.
    parts.locker.keys.put(secret["stored_sha256"], key)
    ran = custody("check", CASE)
    assert (ran.status, "erased the key" in ran.out) == (0, True)
    assert not parts.locker.keys.there(secret["stored_sha256"])


def test_a_check_says_what_is_intact_and_what_is_not(parts: Parts) -> None:
    ran = custody("check")
    assert (ran.status, "2 of 2 read are intact" in ran.out) == (0, True)
    first = shown()["artifacts"]
    assert [a["last_found"] for a in first] == ["intact"] * 2
    assert all(a["last_intact"] == a["last_checked"] > a["stored_at"] for a in first)

    path = parts.locker.root / parts.locker.path_of(first[0]["stored_sha256"])
    path.chmod(0o600)
    path.write_bytes(b"forged")
    (parts.locker.keys.root / first[1]["stored_sha256"][:2] / first[1]["stored_sha256"]).unlink()
    ran = custody("check", CASE)
    assert ran.status == 1
    assert "altered" in ran.out
    assert "keyless" in ran.out
    after = shown()["artifacts"]
    assert [a["last_found"] for a in after] == ["altered", "keyless"]
    assert [a["last_intact"] for a in after] == [a["last_intact"] for a in first]


def test_a_sample_takes_turns(parts: Parts) -> None:
    assert "1 of 1 read are intact; 2 there are" in custody("check", "--sample", "1").out
    once = [a["last_checked"] for a in shown()["artifacts"]]
    assert [one is None for one in once].count(True) == 1
    custody("check", "--sample", "1")
    assert None not in [a["last_checked"] for a in shown()["artifacts"]]


def test_a_read_is_recorded_before_anything_is_given(parts: Parts) -> None:
    plain = ids(parts)[PLAIN.name]
    said = ("--reason", "triage", "--key", "alice.key")
    path = parts.locker.root / parts.locker.path_of(shown()["artifacts"][0]["stored_sha256"])
    assert custody("read", CASE, plain, "-o", "copy", *said).status == 0
    assert Path("copy").read_bytes() == PLAIN.data
    assert Path("copy").stat().st_mode & 0o777 == 0o600
    assert custody("read", CASE, plain, "-o", "copy", *said).status == 1
    path.chmod(0o600)
    path.write_bytes(b"forged")
    assert custody("read", CASE, plain, "-o", "forged", *said).status == 1
    assert not Path("forged").exists()
    assert shown()["artifacts"][0]["reads"] == 2
