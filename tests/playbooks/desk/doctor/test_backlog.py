"""What waits longer than it should is named, with what to do; nothing else is."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from actions.journal import Intent, Plan
from playbooks.case import store
from playbooks.case.incident import Incident, Question
from playbooks.case.severity import RESPONSE, Severity
from playbooks.case.store import Freeze, Store
from playbooks.desk.doctor.backlog import MOST, backlog
from tests.playbooks.desk.doctor.conftest import At, levels, the

CHECKS = ["steps", "work", "leases", "freezes", "questions", "deadlines"]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def at(db: Store, place: At) -> datetime:
    return db.read(lambda conn: store.clock(conn, place.now))


def add(db: Store, opened: datetime, **more: Any) -> Incident:
    values = {"play": "p", "title": "t", "severity": Severity.P1, "target": {}, "requester": "aws"}
    made = Incident(id="", opened=opened, **(values | more))
    return db.commit(lambda conn: store.add_incident(conn, made))


def step(conn: Any, incident: str, name: str, phase: str, at: datetime) -> None:
    store.add_step(conn, incident, Intent(name, "a", {}, Plan({}, {}, {}), phase, "m"), at)


def ask(db: Store, incident: str, expires: datetime, **more: Any) -> Question:
    asked = Question("", incident, f"s{expires}", (), {}, "x", expires, expires)
    made = db.commit(lambda conn: store.add_question(conn, asked))
    if more:
        db.commit(lambda conn: store.change_question(conn, made.id, **more))
    return made


def test_a_deployment_in_which_all_moves_has_nothing_to_tell(
    db: Store, place: At, at: datetime
) -> None:
    one = add(db, at - MINUTE)

    def fill(conn: Any) -> None:
        step(conn, one.id, "fresh", "intended", at)
        step(conn, one.id, "old", "done", at - timedelta(days=1))
        store.add_work(conn, one.id, "alert", at)
        store.add_work(conn, one.id, "timer", at + timedelta(hours=1))
        store.take(conn, one.id, "h:1:1:1", lambda _: True, at)

    db.commit(fill)
    ask(db, one.id, at + timedelta(hours=2))
    ask(db, one.id, at - timedelta(hours=2), state="lapsed")
    assert levels(backlog(place)) == [(check, "ok") for check in CHECKS]


@pytest.mark.parametrize("phase", ["intended", "undoing"])
def test_a_step_left_half_way(db: Store, place: At, at: datetime, phase: str) -> None:
    one = add(db, at)
    db.commit(lambda conn: step(conn, one.id, "isolate", phase, at - 20 * MINUTE))
    found = the(backlog(place), "steps")
    assert found.level == "bad"
    for word in (one.id, "isolate", phase, "20 min"):
        assert word in found.what
    assert f"stanch resume {one.id}" in found.do


def test_work_that_broke_off_or_that_nobody_takes(db: Store, place: At, at: datetime) -> None:
    one = add(db, at)

    def fill(conn: Any) -> None:
        store.add_work(conn, one.id, "alert", at)
        for _ in range(5):
            store.work_failed(conn, 1, "no credentials", at + 5 * MINUTE)
        store.add_work(conn, one.id, "answer", at - 5 * MINUTE)

    db.commit(fill)
    stuck, untaken = [f for f in backlog(place) if f.check == "work"]
    assert (stuck.level, untaken.level) == ("bad", "warn")
    assert "no credentials" in stuck.what
    assert "stanch serve" in untaken.do


def test_a_holder_that_fell_silent(db: Store, place: At, at: datetime) -> None:
    one = add(db, at)
    db.commit(lambda conn: store.take(conn, one.id, "h:1:1:1", lambda _: True, at - 2 * MINUTE))
    found = the(backlog(place), "leases")
    assert (found.level, "h:1:1:1" in found.what) == ("warn", True)


def test_a_freeze_says_who_and_how_it_is_lifted(db: Store, place: At, at: datetime) -> None:
    freeze = Freeze("111122223333", "alice", "a storm", at)
    db.commit(lambda conn: store.add_freeze(conn, freeze))
    found = the(backlog(place), "freezes")
    assert found.level == "warn"
    for word in ("alice", "a storm", "stanch unfreeze --account 111122223333"):
        assert word in found.what


def test_a_question_about_to_lapse(db: Store, place: At, at: datetime) -> None:
    one = add(db, at)
    asked = ask(db, one.id, at + 30 * MINUTE)
    found = the(backlog(place), "questions")
    assert (found.level, f"stanch approve {asked.id}" in found.do) == ("warn", True)


@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("status", ["open", "refused", "partial", "contained", "rolled-back"])
def test_the_times_of_each_severity(
    db: Store, place: At, at: datetime, severity: Severity, status: str
) -> None:
    times = RESPONSE[severity]
    ages = {
        "before": times.acknowledge - MINUTE,
        "unseen": times.acknowledge + MINUTE,
        "late": times.contain + MINUTE,
    }
    made = {n: add(db, at - age, severity=severity, status=status) for n, age in ages.items()}
    seen = add(db, at - ages["unseen"], severity=severity, status=status)
    ask(db, seen.id, at + timedelta(hours=3), state="yes", approver="bob")
    told = {f.what.split()[0]: f.level for f in backlog(place) if f.check == "deadlines"}
    expected = {made["unseen"].id: "warn", made["late"].id: "bad"}
    if status == "contained":
        expected[made["late"].id] = "warn"
    assert told == ({"none": "ok"} if status == "rolled-back" else expected)


def test_a_person_who_opened_it_has_taken_it(db: Store, place: At, at: datetime) -> None:
    add(db, at - timedelta(minutes=40), requester="alice")
    assert the(backlog(place), "deadlines").level == "warn"
    known = place.settings.model_copy(update={"people": {"alice": {}}})
    assert the(backlog(replace(place, settings=known)), "deadlines").level == "ok"


def test_a_storm_is_cut_short_with_its_size(db: Store, place: At, at: datetime) -> None:
    one = add(db, at)

    def fill(conn: Any) -> None:
        for number in range(MOST + 3):
            step(conn, one.id, f"s{number}", "intended", at - 20 * MINUTE)

    db.commit(fill)
    found = [f for f in backlog(place) if f.check == "steps"]
    assert len(found) == MOST + 1
    assert found[-1].what == "and 3 more"
