"""Two people at once: no disposal overtakes a hold that is being set, on either database."""

import threading

import pytest

from evidence import ledger
from evidence.custody.follow import what_stays
from evidence.custody.record import record, view
from evidence.custody.statement import DISPOSED, HOLD
from evidence.errors import CustodyError
from tests.evidence.chamber import CASE, USER_DATA
from tests.evidence.custodians import PEOPLE, Desk


@pytest.mark.parametrize("chamber", ["sqlite", "postgresql"], indirect=True)
def test_a_disposal_waits_for_a_hold_that_is_being_set_and_is_refused(chamber):
    chamber.say("case.open", {})
    chamber.keep(USER_DATA)
    with chamber.begin() as conn:
        desk = Desk(ledger.pseudonym(conn, CASE))
        [artifact] = view(conn, CASE).artifacts.values()
    began, ended, refused = threading.Event(), threading.Event(), []
    at = chamber.tick()
    salts = [chamber.chance.randbytes(32) for _ in range(2)]

    def write(conn, kind, body, salt):
        entry = ledger.Entry(kind, CASE, body, "alice", at)
        record(conn, entry, PEOPLE, record_time=at, salt=salt)

    end = desk.body(DISPOSED, at, "alice", "bob", kept=[what_stays(artifact)])

    def dispose():
        began.set()
        try:
            with chamber.begin() as conn:
                write(conn, DISPOSED, end, salts[0])
        except CustodyError as error:
            refused.append(str(error))
        ended.set()

    other = threading.Thread(target=dispose)
    with chamber.begin() as conn:
        hold = desk.body(HOLD, at, "carol", hold="HOLD-1", artifacts=None)
        write(conn, HOLD, hold, salts[1])
        other.start()
        assert began.wait(10)
        # Time enough to overtake, if it could.
        assert not ended.wait(0.5)
    other.join(30)
    assert ["under hold HOLD-1" in said for said in refused] == [True]
    with chamber.begin() as conn:
        state = view(conn, CASE)
    assert state.problems == []
    assert state.artifacts[artifact.artifact_id].disposed is None
