"""Campaigns and rows are kept the same by both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from evidence import ledger
from playbooks.case import migrating
from playbooks.case.store import Store
from playbooks.case.store import reviews as stored
from playbooks.case.store.reviews import BATCH, Decided, Review, ReviewRow
from playbooks.errors import UnknownIncidentError

AT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
ROW = ReviewRow(
    "a" * 16, "1/aws-global/user/é", "inline/x", "bob", AT, ("admin", "x: y"), "c" * 64, {"b": [1]}
)
MADE = Decided("keep", "é because", "frank", AT, "a.b.c")


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "postgresql":
        engine = ledger.postgres_engine(request.getfixturevalue("postgres_url"))
    else:
        engine = ledger.sqlite_engine(tmp_path / "stanch.db")
    migrating.create(engine)
    yield Store(engine)
    engine.dispose()


def begun(db: Store) -> Review:
    east = timezone(timedelta(hours=2))
    opening = Review("", {"account": "1"}, "erin", AT, AT.astimezone(east))
    return db.commit(lambda conn: stored.add_review(conn, opening))


def rows(db: Store, review: Review) -> list[ReviewRow]:
    return db.read(lambda conn: list(stored.review_rows(conn, review.id)))


def test_what_is_written_is_read_back(db: Store) -> None:
    review = begun(db)
    assert review.id == "REV-0001"
    assert db.read(stored.reviews) == [review]
    bare = replace(ROW, id="b" * 16, used=None, flags=(), about={})
    db.commit(lambda conn: stored.add_rows(conn, review.id, [ROW, bare]))
    assert rows(db, review) == [ROW, bare]
    db.commit(lambda conn: stored.decide_rows(conn, review.id, {ROW.id: MADE}))
    db.commit(lambda conn: stored.carry_row(conn, review.id, ROW.id, "INC-0001"))
    assert rows(db, review) == [replace(ROW, decided=MADE, incident="INC-0001"), bare]
    assert db.read(lambda conn: stored.tally(conn, review.id)) == {"keep": 1, "": 1}
    later = AT + timedelta(days=1)
    db.commit(lambda conn: stored.change_review(conn, review.id, status="open", due=later, level=1))
    changed = db.read(lambda conn: stored.review(conn, review.id))
    assert (changed.status, changed.due, changed.level) == ("open", later, 1)


def test_more_than_a_batch_comes_in_the_order_it_was_found(db: Store) -> None:
    one, other = begun(db), begun(db)
    many = [replace(ROW, id=f"{i:016x}") for i in range(2 * BATCH + 1)]
    db.commit(lambda conn: stored.add_rows(conn, one.id, many))
    db.commit(lambda conn: stored.add_rows(conn, other.id, many[:1]))
    assert rows(db, one) == many
    db.commit(lambda conn: stored.drop_rows(conn, one.id))
    assert (rows(db, one), rows(db, other)) == ([], many[:1])


def test_what_is_not_there_is_said_to_be_missing(db: Store) -> None:
    for missing in (
        lambda conn: stored.review(conn, "REV-0009"),
        lambda conn: stored.carry_row(conn, "REV-0009", "a", "INC-0001"),
        lambda conn: stored.change_review(conn, "REV-0009", status="open"),
    ):
        with pytest.raises(UnknownIncidentError):
            db.commit(missing)
