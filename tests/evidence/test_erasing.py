"""An erased value is gone from the database, and everything else still proves itself."""

from pathlib import Path

import pytest

from evidence import ledger
from evidence.custody.record import record, view
from evidence.custody.statement import ERASURE, HOLD
from evidence.erasing import compact, erase_values, named, naming, standing
from evidence.errors import CustodyError
from evidence.ledger import Entry
from tests.evidence.agreed import verify_bundle
from tests.evidence.chamber import CASE, Chamber
from tests.evidence.custodians import PEOPLE, Desk

MALLORY = "mallory@example.org"
ON_BOTH = pytest.mark.parametrize("chamber", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def told(chamber: Chamber) -> Chamber:
    chamber.say("notification", {"told": [MALLORY, "oscar"], "what": "opened"}, actor="stanch")
    chamber.say("approval.answered", {"approver": MALLORY, "state": "yes"}, actor=MALLORY)
    chamber.say("notification", {"told": ["oscar"], "what": "closed"}, actor="stanch")
    chamber.say("case.open", {"by": MALLORY}, "INC-2", "stanch")
    chamber.integrate()
    return chamber


def stated(chamber: Chamber, values: list[str], *signers: str) -> Entry:
    with chamber.begin() as conn:
        case = ledger.pseudonym(conn, CASE)
    now = chamber.tick()
    body = Desk(case).body(ERASURE, now, *(signers or ("alice", "bob")), values=values)
    return Entry(ERASURE, CASE, body, "alice", now)


def erase(chamber: Chamber, text: str, *signers: str) -> list[str]:
    """Erase what holds a text, as two people who signed it do; return the commitments."""
    with chamber.begin() as conn:
        values = sorted(one.commitment for _, _, one in naming(conn, CASE, text))
    entry = stated(chamber, values, *signers)
    with chamber.begin() as conn:
        salt = chamber.chance.randbytes(32)
        record(conn, entry, PEOPLE, record_time=entry.event_time, salt=salt)
        erase_values(conn, CASE, values)
    chamber.integrate()
    return values


def files(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())


@ON_BOTH
def test_what_is_erased_cannot_be_had_and_the_rest_can(told: Chamber) -> None:
    with told.begin() as conn:
        assert [seq for seq, _, _ in naming(conn, CASE, MALLORY)] == [0, 1, 1]
        before = [one.leaf_hash for one in ledger.entries(conn, CASE)]
    erased = erase(told, MALLORY)
    assert len(erased) == 3
    with told.begin() as conn:
        found = list(ledger.entries(conn, CASE))
        assert [one.leaf_hash for one in found][:3] == before
        assert (
            found[0].body["told"] == {"commitment": erased[0]}
            or found[0].body["told"]["commitment"] in erased
        )
        assert found[1].body["approver"]["commitment"] in erased
        assert MALLORY not in found[1].opening.actor
        assert found[2].body["told"] == ["oscar"]
        assert naming(conn, CASE, MALLORY) == named(conn, CASE, erased) == []
        assert view(conn, CASE).problems == []
        # Another case's values are that case's.
        assert standing(conn, MALLORY) == {"ledger_values.value": 1}
    path = told.export("after")
    verdict = verify_bundle(path, told.trust)
    assert (verdict.exit_code, verdict.problems) == (3, ())
    assert verdict.withheld == (
        "ledger entry 0: /told is erased; its proof holds",
        "ledger entry 1: /approver, actor is erased; its proof holds",
    )
    assert MALLORY.encode() not in files(path)


def test_no_byte_of_it_is_left_in_the_file(chamber: Chamber) -> None:
    for number in range(40):
        chamber.say("notification", {"told": [f"mallory-{number:03}", "x" * 900]}, actor="stanch")
    chamber.integrate()
    assert b"mallory-007" in files(chamber.folder)
    erase(chamber, "mallory-007")
    assert compact(chamber.engine)
    left = files(chamber.folder)
    assert b"mallory-007" not in left
    assert b"mallory-008" in left
    with chamber.begin() as conn:
        assert standing(conn, "mallory-007") == {}
    assert verify_bundle(chamber.export(), chamber.trust).exit_code == 3


@pytest.mark.parametrize("chamber", ["postgresql"], indirect=True)
def test_a_table_of_postgresql_is_written_anew(told: Chamber) -> None:
    erase(told, MALLORY)
    assert compact(told.engine)
    with told.begin() as conn:
        assert naming(conn, CASE, "oscar")


def test_a_file_that_others_read_is_told_from_one_that_was_written_anew(told: Chamber) -> None:
    erase(told, MALLORY)
    with told.engine.connect().execution_options(read_only=True) as conn:
        conn.exec_driver_sql("SELECT count(*) FROM ledger_entries").all()
        assert not compact(told.engine)
    assert compact(told.engine)


@ON_BOTH
def test_nothing_is_erased_under_hold(told: Chamber) -> None:
    with told.begin() as conn:
        case = ledger.pseudonym(conn, CASE)
    now = told.tick()
    body = Desk(case).body(HOLD, now, "carol", hold="H-1", artifacts=None)
    with told.begin() as conn:
        entry = Entry(HOLD, CASE, body, "carol", now)
        record(conn, entry, PEOPLE, record_time=now, salt=told.chance.randbytes(32))
    with pytest.raises(CustodyError, match="under hold H-1"):
        erase(told, MALLORY)
    with told.begin() as conn:
        assert len(naming(conn, CASE, MALLORY)) == 3


@pytest.mark.parametrize("signers", [("alice",), ("alice", "alice"), ("alice", "bob", "carol")])
def test_two_people_sign_an_erasure(told: Chamber, signers: tuple[str, ...]) -> None:
    with pytest.raises(CustodyError, match=r"signatures|signed twice"):
        erase(told, MALLORY, *signers)


def test_what_is_not_there_is_not_erased(told: Chamber) -> None:
    erased = erase(told, MALLORY)
    with told.begin() as conn, pytest.raises(CustodyError, match="erased before"):
        erase_values(conn, CASE, erased)
    with told.begin() as conn, pytest.raises(CustodyError, match="none of INC-1 that may go"):
        erase_values(conn, CASE, ["ab" * 32])
    with told.begin() as conn, pytest.raises(CustodyError, match="three characters"):
        naming(conn, CASE, "a")


def test_an_opening_that_was_deleted_without_a_word_is_missing(told: Chamber) -> None:
    with told.begin() as conn:
        conn.exec_driver_sql("DELETE FROM ledger_values WHERE entry_id = 1")
    verdict = verify_bundle(told.export(), told.trust)
    assert verdict.exit_code == 2
    assert "the opening of /told is missing" in verdict.problems[0].what


def test_a_signed_answer_holds_its_signer_s_name(chamber: Chamber) -> None:
    token = Desk().body(HOLD, chamber.now, "alice", hold="H", artifacts=None)["signatures"][0]
    chamber.say("approval.answered", {"proof": token["token"]}, actor="stanch")
    with chamber.begin() as conn:
        [(_, _, one)] = naming(conn, CASE, "alice")
    assert one.place == "/proof"
