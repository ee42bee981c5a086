"""Holds, handovers, retention and disposal in a real ledger: refused unless signed and in order."""

import copy
from datetime import timedelta

import pytest

from evidence import ledger
from evidence.custody.follow import READ, what_stays
from evidence.custody.record import record, view
from evidence.custody.signing import sign
from evidence.custody.state import LOCKER
from evidence.custody.statement import DISPOSED, HOLD, RELEASE, RETAIN, TRANSFER
from evidence.errors import CustodyError
from evidence.leaf import stamp
from tests.evidence.chamber import CASE, USER_DATA, Chamber, describe
from tests.evidence.custodians import KEYS, PEOPLE, Desk


@pytest.fixture
def kept(filled: Chamber) -> list[str]:
    with filled.begin() as conn:
        return list(view(conn, CASE).artifacts)


@pytest.fixture
def desk(filled: Chamber) -> Desk:
    with filled.begin() as conn:
        return Desk(ledger.pseudonym(conn, CASE))


def write(chamber, kind, body, actor="alice"):
    now = chamber.tick()
    entry = ledger.Entry(kind, CASE, body, actor, now)
    salt = chamber.chance.randbytes(32)
    with chamber.begin() as conn:
        record(conn, entry, PEOPLE, record_time=now, salt=salt)
    with chamber.begin() as conn:
        return view(conn, CASE)


def stays(chamber, *artifacts):
    with chamber.begin() as conn:
        state = view(conn, CASE)
    return [what_stays(state.artifacts[one]) for one in sorted(artifacts)]


def hold(chamber, desk, name="HOLD-1", artifacts=None):
    body = desk.body(HOLD, chamber.now, "alice", hold=name, artifacts=artifacts)
    return write(chamber, HOLD, body)


def test_what_was_stored_is_held_by_the_locker_and_by_nothing_else(filled, kept):
    with filled.begin() as conn:
        state = view(conn, CASE)
    assert [a.name for a in state.artifacts.values()] == [
        "ec2.describe_1",
        "ec2.describe_2",
        "ec2.user_data",
    ]
    for one in kept:
        artifact = state.artifacts[one]
        assert (artifact.holder, artifact.last_intact) == (LOCKER, artifact.stored_at)
        assert state.holds_on(one) == ()
    assert state.problems == []


def test_a_hold_on_the_case_covers_what_comes_later_and_two_people_end_it(filled, desk, kept):
    state = hold(filled, desk)
    filled.keep(describe(3))
    with filled.begin() as conn:
        state = view(conn, CASE)
    assert len(state.artifacts) == 4
    assert all(state.holds_on(one) == ("HOLD-1",) for one in state.artifacts)
    end = desk.body(RELEASE, filled.now, "alice", "bob", hold="HOLD-1")
    state = write(filled, RELEASE, end)
    assert all(state.holds_on(one) == () for one in state.artifacts)
    assert state.holds["HOLD-1"].released_by == ("alice", "bob")


def test_a_hold_on_one_artifact_covers_only_that(filled, desk, kept):
    state = hold(filled, desk, artifacts=[kept[1]])
    assert [state.holds_on(one) for one in kept] == [(), ("HOLD-1",), ()]


@pytest.mark.parametrize(
    ("signers", "why"),
    [((), "has 0 signatures"), (("alice",), "has 1 signatures"), (("bob", "bob"), "signed twice")],
)
def test_a_hold_is_not_released_by_fewer_than_two(filled, desk, kept, signers, why):
    hold(filled, desk)
    with pytest.raises(CustodyError, match=why):
        write(filled, RELEASE, desk.body(RELEASE, filled.now, *signers, hold="HOLD-1"))
    with filled.begin() as conn:
        assert view(conn, CASE).holds_on(kept[0]) == ("HOLD-1",)


def test_one_key_under_two_names_is_one_person(filled, desk, kept):
    hold(filled, desk)
    body = desk.body(RELEASE, filled.now, "alice", hold="HOLD-1")
    body["signatures"].append(sign(body["statement"], "bob", KEYS["alice"]))
    with pytest.raises(CustodyError, match="bob signed twice"):
        write(filled, RELEASE, body)


def test_a_name_with_another_key_than_its_own_counts_for_nobody(filled, desk, kept):
    body = desk.body(HOLD, filled.now, hold="HOLD-1", artifacts=None)
    for name, key, why in (("alice", "bob", "another key"), ("mallory", "bob", "is nobody")):
        body["signatures"] = [sign(body["statement"], name, KEYS[key])]
        with pytest.raises(CustodyError, match=why):
            write(filled, HOLD, body)


def test_a_statement_takes_effect_once(filled, desk, kept):
    """Else a release that was signed once would end every later hold of that name."""
    body = desk.body(TRANSFER, filled.now, LOCKER, "bob", **give(kept[:1], LOCKER, "bob"))
    write(filled, TRANSFER, body)
    back = desk.body(TRANSFER, filled.now, "bob", LOCKER, **give(kept[:1], "bob", LOCKER))
    write(filled, TRANSFER, back)
    with pytest.raises(CustodyError, match="took effect before"):
        write(filled, TRANSFER, body)


def give(artifacts, giver, taker):
    return {"artifacts": sorted(artifacts), "from": giver, "to": taker, "place": "room 4"}


def test_a_handover_wants_both_signatures_over_the_same_statement(filled, desk, kept):
    whole = desk.body(TRANSFER, filled.now, LOCKER, "bob", **give(kept, LOCKER, "bob"))
    for missing in (0, 1):
        body = copy.deepcopy(whole)
        del body["signatures"][missing]
        with pytest.raises(CustodyError, match="has 1 signatures"):
            write(filled, TRANSFER, body)
    other = dict(whole["statement"]) | {"place": "elsewhere"}
    for number, name in enumerate((LOCKER, "bob")):
        body = copy.deepcopy(whole)
        body["signatures"][number] = sign(other, name, KEYS[name])
        with pytest.raises(CustodyError, match="over another statement"):
            write(filled, TRANSFER, body)
    swapped = whole | {"signatures": whole["signatures"][::-1]}
    with pytest.raises(CustodyError, match="expected who gives"):
        write(filled, TRANSFER, swapped)
    state = write(filled, TRANSFER, whole)
    assert {a.holder for a in state.artifacts.values()} == {"bob"}


def test_only_the_holder_hands_over(filled, desk, kept):
    body = desk.body(TRANSFER, filled.now, "alice", "bob", **give(kept[:1], "alice", "bob"))
    with pytest.raises(CustodyError, match=f"held by {LOCKER}"):
        write(filled, TRANSFER, body)


def test_retention_only_extends(filled, desk, kept):
    def until(days, artifacts=None):
        end = stamp(filled.now + timedelta(days=days))
        more = {"until": end, "artifacts": artifacts}
        return write(filled, RETAIN, desk.body(RETAIN, filled.now, "alice", **more))

    until(30)
    state = until(60, [kept[0]])
    with pytest.raises(CustodyError, match="only extends"):
        until(50, [kept[0]])
    with pytest.raises(CustodyError, match="only extends"):
        until(20)
    with pytest.raises(CustodyError, match="is past"):
        until(-1, [kept[1]])
    first, second = (state.retained_until(one) for one in kept[:2])
    assert first > second == state.retain_until


def test_nothing_under_hold_or_retained_is_disposed_of(filled, desk, kept):
    def dispose(*signers):
        body = desk.body(DISPOSED, filled.now, *signers, kept=stays(filled, kept[2]))
        return write(filled, DISPOSED, body)

    hold(filled, desk, artifacts=[kept[2]])
    end = stamp(filled.now + timedelta(days=1))
    write(filled, RETAIN, desk.body(RETAIN, filled.now, "bob", until=end, artifacts=None))
    with pytest.raises(CustodyError, match="under hold HOLD-1"):
        dispose("alice", "bob")
    write(filled, RELEASE, desk.body(RELEASE, filled.now, "alice", "bob", hold="HOLD-1"))
    with pytest.raises(CustodyError, match="must be kept until"):
        dispose("alice", "bob")
    filled.now += timedelta(days=2)
    with pytest.raises(CustodyError, match="has 1 signatures"):
        dispose("alice")
    gone = dispose("alice", "carol").artifacts[kept[2]]
    assert gone.disposed_by == ("alice", "carol")
    with pytest.raises(CustodyError, match="was disposed of"):
        dispose("alice", "carol")
    with pytest.raises(CustodyError, match="was disposed of"):
        write(filled, READ, {"artifact_id": kept[2], "reason": "curious"})


def test_a_statement_is_for_its_case_and_for_now(filled, desk, kept):
    with pytest.raises(CustodyError, match="not for this"):
        write(filled, HOLD, Desk("cd" * 16).body(HOLD, filled.now, "bob", hold="H", artifacts=None))
    for at in (filled.now - timedelta(days=8), filled.now + timedelta(hours=1)):
        with pytest.raises(CustodyError, match="expected within 7 days"):
            write(filled, HOLD, desk.body(HOLD, at, "bob", hold="H", artifacts=None))


def test_an_entry_past_the_rules_has_no_effect_and_stops_disposal(filled, desk, kept):
    """Written by somebody with the database in hand: `append` alone judges nothing of it."""
    hold(filled, desk)
    filled.say(RELEASE, desk.body(RELEASE, filled.now, "alice", hold="HOLD-1"))
    with filled.begin() as conn:
        state = view(conn, CASE)
    assert state.holds_on(kept[0]) == ("HOLD-1",)
    [problem] = state.problems
    assert "has 1 signatures" in problem
    write(filled, RELEASE, desk.body(RELEASE, filled.now, "alice", "bob", hold="HOLD-1"))
    body = desk.body(DISPOSED, filled.now, "alice", "bob", kept=stays(filled, kept[2]))
    with pytest.raises(CustodyError, match="do not follow"):
        write(filled, DISPOSED, body)


def test_a_read_is_counted_and_wants_a_reason(filled, desk, kept):
    state = write(filled, READ, {"artifact_id": kept[0], "reason": "triage"})
    assert (state.artifacts[kept[0]].reads, state.artifacts[kept[1]].reads) == (1, 0)
    with pytest.raises(CustodyError, match="without a reason"):
        write(filled, READ, {"artifact_id": kept[0], "reason": " "})
    with pytest.raises(CustodyError, match="none of this case"):
        write(filled, READ, {"artifact_id": "00" * 16, "reason": "triage"})


def test_a_refused_entry_is_not_written(filled, desk, kept):
    with filled.begin() as conn:
        before = len(list(ledger.entries(conn, CASE)))
    with pytest.raises(CustodyError):
        write(filled, RELEASE, desk.body(RELEASE, filled.now, "alice", "bob", hold="HOLD-9"))
    with filled.begin() as conn:
        assert len(list(ledger.entries(conn, CASE))) == before


def test_every_artifact_of_a_full_statement_fits_a_ledger_entry(filled, desk):
    for _ in range(49):
        filled.keep(USER_DATA)
    with filled.begin() as conn:
        found = view(conn, CASE).artifacts.values()
    everything = [one.artifact_id for one in found if one.sensitive]
    assert len(everything) == 50
    body = desk.body(DISPOSED, filled.now, "alice", "bob", kept=stays(filled, *everything))
    state = write(filled, DISPOSED, body)
    assert all(state.artifacts[one].disposed for one in everything)


OTHER_HOLD = "replace(CAST(body AS TEXT), 'HOLD-1', 'HOLD-2')"


def test_a_hold_whose_body_was_changed_or_erased_in_the_database_stops_disposal(filled, desk, kept):
    """The table of openings can be written, since it can be erased: the leaf tells on who does."""
    hold(filled, desk, "HOLD-1", [kept[2]])
    for change, why in (
        (f"UPDATE ledger_openings SET body = {OTHER_HOLD}", "commits to"),
        (f"UPDATE ledger_openings SET body = CAST({OTHER_HOLD} AS BLOB)", "commits to"),
        ("DELETE FROM ledger_openings", "was erased"),
    ):
        with filled.begin() as conn:
            newest = "(SELECT max(entry_id) FROM ledger_openings)"
            conn.exec_driver_sql(f"{change} WHERE entry_id = {newest}")
        body = desk.body(DISPOSED, filled.now, "alice", "bob", kept=stays(filled, kept[2]))
        with filled.begin() as conn:
            [problem] = view(conn, CASE).problems
        assert why in problem
        with pytest.raises(CustodyError, match="do not follow"):
            write(filled, DISPOSED, body)


def test_an_entry_taken_out_is_noticed_and_stops_disposal(filled, desk, kept):
    hold(filled, desk)
    write(filled, READ, {"artifact_id": kept[0], "reason": "triage"})
    with filled.begin() as conn:
        hidden = max(e.id for e in ledger.entries(conn, CASE) if e.leaf.kind == HOLD)
        for table in ("ledger_values", "ledger_openings"):
            conn.exec_driver_sql(f"DELETE FROM {table} WHERE entry_id = {hidden}")
        conn.exec_driver_sql(f"DELETE FROM ledger_entries WHERE id = {hidden}")
    with filled.begin() as conn:
        state = view(conn, CASE)
    assert state.holds == {}
    assert "does not follow from the one before it" in state.problems[0]
    body = desk.body(DISPOSED, filled.now, "alice", "bob", kept=stays(filled, kept[2]))
    with pytest.raises(CustodyError, match="do not follow"):
        write(filled, DISPOSED, body)
