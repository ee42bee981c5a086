"""The log of duties and their clocks are kept the same by both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from evidence import ledger
from playbooks.case import migrating
from playbooks.case.store import Store
from playbooks.case.store import duties as stored
from playbooks.case.store.duties import BATCH, ClockRow, LogRow
from playbooks.errors import UnknownIncidentError

AT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
HERE = "INC-0001"
ROW = LogRow(HERE, AT, "é", "fact", {"facts": {"persons": "5"}}, "a.b.c")
CLOCK = ClockRow("us-md/individuals", AT, AT + timedelta(days=45), "open", body={"a": [1]})


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "postgresql":
        engine = ledger.postgres_engine(request.getfixturevalue("postgres_url"))
    else:
        engine = ledger.sqlite_engine(tmp_path / "stanch.db")
    migrating.create(engine)
    yield Store(engine)
    engine.dispose()


def test_the_log_is_read_back_in_its_order_and_by_incident(db: Store) -> None:
    east = replace(ROW, at=AT.astimezone(timezone(timedelta(hours=2))))
    first = db.commit(lambda conn: stored.add_log(conn, east))
    second = db.commit(lambda conn: stored.add_log(conn, replace(ROW, kind="anchor")))
    db.commit(lambda conn: stored.add_log(conn, replace(ROW, incident="deployment")))
    assert first.number < second.number
    assert db.read(lambda conn: stored.duty_log(conn, HERE)) == [first, second]
    assert db.read(lambda conn: stored.duty_log(conn, "INC-0009")) == []


def test_clocks_are_added_once_and_then_changed(db: Store) -> None:
    many = [replace(CLOCK, duty=f"r/{i}", due=None) for i in range(BATCH + 1)]
    db.commit(lambda conn: stored.put_clocks(conn, HERE, [CLOCK, *many]))
    later = replace(CLOCK, due=AT, state="closed", closed=AT, closed_how="sent", level=2)
    new = replace(CLOCK, duty="r/new")
    db.commit(lambda conn: stored.put_clocks(conn, HERE, [later, new]))
    db.commit(lambda conn: stored.put_clocks(conn, "INC-0002", [CLOCK]))
    found = db.read(lambda conn: stored.clocks(conn, HERE))
    meant = [replace(row, incident=HERE) for row in (later, *many, new)]
    assert list(found.values()) == meant
    db.commit(lambda conn: stored.set_level(conn, HERE, "r/new", 4))
    assert db.read(lambda conn: stored.clocks(conn, HERE))["r/new"].level == 4
    with pytest.raises(UnknownIncidentError):
        db.commit(lambda conn: stored.set_level(conn, HERE, "r/none", 1))
