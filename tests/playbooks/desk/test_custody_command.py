"""`stanch custody`: shown from the ledger, signed by two people at two desks, refused otherwise."""

import json
from pathlib import Path

import pytest

from evidence import ledger
from evidence.deposit import KIND, Acquisition, Custody, deposit
from evidence.sources.item import Item
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import Ran, stanch

CASE = "INC-0001"
PLAIN = Item("ec2.describe", "application/json", b'{"state": "running"}', False, "ec2.describe")
SECRET = Item("ec2.user_data", "text/plain", b"TOKEN=hunter2", True, "ec2.user_data")


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("STANCH_CONFIG", raising=False)
    assert stanch("init").status == 0
    with (tmp_path / "stanch.toml").open("a") as file:
        for name in ("alice", "bob"):
            file.write(stanch("person", name, "--key", f"{name}.key").out)
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


def test_a_case_that_is_not_there_is_said(parts: Parts) -> None:
    ran = custody("show", "INC-9")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "no incident 'INC-9'" in ran.err


def test_a_file_that_is_no_paper_is_said(parts: Parts) -> None:
    Path("paper.json").write_text("[]")
    ran = custody("sign", "paper.json", "--key", "bob.key", "--yes")
    assert (ran.status, "is no paper" in ran.err) == (1, True)
