"""`stanch erase`: two people sign that a value goes, and then no file of the deployment has it."""

import json
from pathlib import Path

import pytest

from evidence.verify import verify_bundle
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import Ran, begin, stanch
from tests.playbooks.desk.test_custody_command import keep

CASE = "INC-0001"
MALLORY = "mallory@example.org"


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    begin(tmp_path, monkeypatch, "alice", "bob")
    made = assemble(load())
    keep(made)
    record = Record("stanch", made.now, made.random)
    for told in ([MALLORY, "oscar"], ["oscar"]):
        body = {"told": told, "what": "opened"}
        Store(made.engine).commit(
            lambda conn, body=body: record.note(conn, CASE, "notification", body)
        )
    made.engine.dispose()
    return made


def erase(value: str, *more: str, key: str = "alice.key") -> Ran:
    return stanch("erase", CASE, "--value", value, "--reason", "asked", "--key", key, *more)


def holding(text: str) -> list[str]:
    return sorted(
        str(one.relative_to(Path.cwd()))
        for one in Path.cwd().rglob("*")
        if one.is_file() and text.encode() in one.read_bytes()
    )


def test_what_two_people_sign_is_gone_from_every_file(parts: Parts) -> None:
    assert any("stanch-data" in one for one in holding(MALLORY))
    assert stanch("export", CASE, "-o", "without", "--without-personal").status == 0
    assert not any(one.startswith("without") for one in holding(MALLORY))
    alone = erase(MALLORY)
    assert (alone.status, "needs two people" in alone.err) == (1, True)
    first = erase(MALLORY, "-o", "paper.json")
    assert (first.status, "/told of entry 1 (notification)" in first.out) == (0, True), first.err
    assert "paper.json" not in holding(MALLORY)
    second = stanch("custody", "sign", "paper.json", "--key", "bob.key", "--yes")
    assert (second.status, MALLORY in second.out) == (0, True), second.err
    assert holding(MALLORY) == []
    assert holding("oscar") != []
    assert stanch("export", CASE, "-o", "bundle").status == 0
    trust = json.loads(Path("stanch-data/keys/trust.json").read_text())
    verdict = verify_bundle(Path("bundle"), trust)
    assert (verdict.problems, verdict.withheld) == (
        (),
        ("ledger entry 1: /told is erased; its proof holds",),
    )
    again = erase(MALLORY)
    assert (again.status, "nothing open in INC-0001 holds it" in again.out) == (0, True)
    assert "still stands" not in again.out


def test_where_a_value_stands_besides_is_told(parts: Parts) -> None:
    parts.engine.dispose()
    found = erase("notification")
    assert (found.status, "ledger_entries.leaf" in found.out) == (0, True)


def test_nothing_goes_under_hold(parts: Parts) -> None:
    hold = ("custody", "hold", CASE, "--reason", "litigation", "--key", "alice.key")
    assert stanch(*hold).status == 0
    assert erase(MALLORY, "-o", "paper.json").status == 0
    second = stanch("custody", "sign", "paper.json", "--key", "bob.key", "--yes")
    assert (second.status, "under hold" in second.err) == (1, True)
    assert holding(MALLORY) != []


@pytest.mark.parametrize(
    ("more", "gone"),
    [(("--withhold", "notification"), True), (("--withhold", "/told"), True), ((), False)],
)
def test_values_are_withheld_by_kind_and_by_place(
    parts: Parts, more: tuple[str, ...], gone: bool
) -> None:
    done = stanch("export", CASE, "-o", "bundle", *more)
    assert (done.status, "without personal values" in done.out) == (0, gone), done.err
    assert (not any(one.startswith("bundle") for one in holding(MALLORY))) is gone
    wrong = stanch("export", CASE, "-o", "other", "--withhold", "No such thing")
    assert (wrong.status, "withheld values" in wrong.err) == (1, True)
