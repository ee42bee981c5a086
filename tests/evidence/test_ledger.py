"""Entries: what an append writes, what stands where, and what the caller's transaction decides."""

import dataclasses
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from evidence import ledger
from evidence.canonical import canonical
from evidence.errors import CanonicalError, LedgerCorruptError, LedgerError
from evidence.leaf import MAX_BODY, MAX_LEAF, actor_commitment, body_commitment, read_leaf
from evidence.merkle import leaf_hash
from tests.evidence.chamber import CASE

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SALT = bytes(range(32))


def pytest_generate_tests(metafunc):
    """Hold each law on both engines."""
    if "chamber" in metafunc.fixturenames:
        metafunc.parametrize("chamber", ["sqlite", "postgresql"], indirect=True)


def entry(**changes):
    fields = {"kind": "case.open", "case": CASE, "body": {"a": 1}, "actor": "al", "event_time": NOW}
    return ledger.Entry(**fields | changes)


def append(chamber, what, record_time=NOW, salt=SALT):
    with chamber.begin() as conn:
        return ledger.append(conn, what, record_time=record_time, salt=salt)


def stored(chamber, case=CASE):
    with chamber.begin() as conn:
        return list(ledger.entries(conn, case))


def test_a_case_is_a_chain_from_zero_without_gaps(filled):
    found = stored(filled)
    assert [e.leaf.case_seq for e in found] == list(range(7))
    assert [e.leaf.prev for e in found] == [None, *(e.leaf_hash.hex() for e in found[:-1])]
    assert all(leaf_hash(e.data) == e.leaf_hash for e in found)
    assert all(canonical(dataclasses.asdict(e.leaf)) == e.data for e in found)
    assert {e.leaf.case for e in found}.isdisjoint(e.leaf.case for e in stored(filled, "INC-2"))


def test_a_leaf_commits_to_actor_and_body_and_holds_neither(chamber):
    plain = {"mail": "bob@example.org"}
    append(chamber, entry(kind="change", body=plain, actor="arn:aws:iam::1:user/bob"))
    (found,) = stored(chamber)
    assert b"bob" not in found.data
    assert len(found.data) < MAX_LEAF
    body = canonical({"mail": "bob@example.org"})
    assert found.leaf.body == hmac.new(SALT, body, hashlib.sha256).hexdigest()
    assert found.leaf.actor == actor_commitment(SALT, "arn:aws:iam::1:user/bob")
    assert found.leaf.body == body_commitment(found.opening.salt, found.opening.body)
    assert found.body == {"mail": "bob@example.org"}


def test_the_largest_leaf_stays_under_its_bound(chamber):
    added = append(chamber, entry(kind="k" * 64, actor="a" * 1024))
    (found,) = stored(chamber)
    # A case of 2^53 entries would add 15 digits and the link to the one before 62.
    assert len(found.data) + 15 + 62 < MAX_LEAF
    assert added == ledger.Appended(found.id, 0, found.leaf_hash)


def test_erasing_an_opening_leaves_every_proof_intact(filled):
    before = [(e.data, e.leaf_hash) for e in stored(filled)]
    with filled.begin() as conn:
        conn.execute(text("DELETE FROM ledger_openings"))
        conn.execute(text("DELETE FROM ledger_cases WHERE case_id = 'INC-2'"))
        ledger.replay(conn)
    found = stored(filled)
    assert [(e.data, e.leaf_hash) for e in found] == before
    with pytest.raises(LedgerError, match="erased"):
        _ = found[0].body


def test_an_append_is_undone_with_the_callers_transaction(chamber):
    with chamber.engine.connect() as conn:
        transaction = conn.begin()
        ledger.append(conn, entry(), record_time=NOW, salt=SALT)
        assert len(list(ledger.entries(conn, CASE))) == 1
        transaction.rollback()
    assert stored(chamber) == []
    assert append(chamber, entry()).case_seq == 0


def test_an_append_without_a_transaction_is_refused(chamber):
    with chamber.engine.connect() as conn, pytest.raises(LedgerError, match="no transaction"):
        ledger.append(conn, entry(), record_time=NOW, salt=SALT)
    assert stored(chamber) == []


def test_what_the_database_refuses_is_told_as_the_databases_error(chamber):
    append(chamber, entry())
    refusal = {
        "sqlite": "CREATE TEMP TRIGGER full BEFORE INSERT ON ledger_openings"
        " BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        "postgresql": 'ALTER TABLE ledger_openings ADD CONSTRAINT "disk full"'
        " CHECK (false) NOT VALID",
    }
    with chamber.begin() as conn:
        conn.execute(text(refusal[chamber.engine.name]))
        with pytest.raises(IntegrityError, match="disk full"):
            ledger.append(conn, entry(), record_time=NOW, salt=SALT)
        conn.rollback()
    assert len(stored(chamber)) == 1


def test_times_are_kept_in_utc_to_the_microsecond(chamber):
    east = timezone(timedelta(hours=5, minutes=30))
    when = datetime(2026, 11, 23, 17, 30, 0, 42, tzinfo=east)
    append(chamber, entry(event_time=when))
    (found,) = stored(chamber)
    assert found.leaf.event_time == "2026-11-23T12:00:00.000042Z"
    assert found.leaf.record_time == "2026-11-23T12:00:00.000000Z"


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": ""},
        {"kind": "Case"},
        {"kind": "k" * 65},
        {"kind": "a\n"},
        {"case": ""},
        {"case": "c" * 201},
        {"case": "a\nExternal-Identifier: b"},
        {"actor": ""},
        {"actor": "a" * 1025},
        {"actor": "a\0b"},
        {"event_time": NOW.replace(tzinfo=None)},
        {"body": {"x": "y" * MAX_BODY}},
        {"body": {"x": 1.5}},
        {"body": {"x": "\ud800"}},
    ],
    ids=lambda changes: f"{next(iter(changes))}-{str(next(iter(changes.values())))[:20]!r}",
)
def test_what_could_not_be_proven_later_is_not_recorded(chamber, changes):
    with pytest.raises((LedgerError, CanonicalError)):
        append(chamber, entry(**changes))
    assert stored(chamber) == []


@pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33)])
def test_a_salt_has_32_bytes(chamber, salt):
    with pytest.raises(LedgerError, match="salt"):
        append(chamber, entry(), salt=salt)


def test_a_naive_record_time_is_refused(chamber):
    with pytest.raises(LedgerError, match="no zone"):
        append(chamber, entry(), record_time=NOW.replace(tzinfo=None))


def test_an_unknown_case_has_no_entries_and_no_pseudonym(chamber):
    assert stored(chamber) == []
    with chamber.begin() as conn, pytest.raises(LedgerError, match="no entry"):
        ledger.pseudonym(conn, CASE)


def test_a_case_whose_last_entry_was_cut_away_takes_no_more(chamber):
    for _ in range(3):
        append(chamber, entry())
    with chamber.begin() as conn:
        conn.execute(text("DELETE FROM ledger_openings WHERE entry_id = 3"))
        conn.execute(text("DELETE FROM ledger_entries WHERE id = 3"))
    with pytest.raises(LedgerCorruptError, match="lacks its entry 2"):
        append(chamber, entry())


def good_leaf():
    return {
        "kind": "case.open",
        "case": "ab" * 16,
        "case_seq": 1,
        "prev": "cd" * 32,
        "event_time": "2026-11-23T12:00:00.000042Z",
        "record_time": "2026-11-23T12:00:00.000042Z",
        "actor": "ef" * 32,
        "body": "01" * 32,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "A"},
        {"kind": 1},
        {"case": "AB" * 16},
        {"case_seq": -1},
        {"case_seq": True},
        {"case_seq": "1"},
        {"case_seq": 0},
        {"prev": None},
        {"prev": "cd"},
        {"prev": 1},
        {"event_time": "2026-11-23T12:00:00Z"},
        {"record_time": "2026-11-23T12:00:00.000042+00:00"},
        {"actor": "EF" * 32},
        {"body": None},
        {"more": 1},
        {"kind": "k" * 1100},
    ],
    ids=str,
)
def test_an_envelope_has_exactly_its_fields_in_their_form(change):
    assert read_leaf(canonical(good_leaf())).case_seq == 1
    with pytest.raises(LedgerError):
        read_leaf(canonical(good_leaf() | change))


def test_an_envelope_is_canonical_and_an_object():
    for data in (json.dumps(good_leaf()).encode(), b"[]", b"{}", b"\xff"):
        with pytest.raises(LedgerError):
            read_leaf(data)
