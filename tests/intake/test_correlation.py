"""What shares an incident, what opens another, and what a finding may free to act."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from guardduty_findings import as_api, enveloped, stolen_role, tor_client
from intake_door import house
from siem_findings import ACCOUNT, HOST, KEY, REGION, SENDER, data

from playbooks.case import store
from playbooks.case.incident import Question
from playbooks.intake.accepted import Came
from playbooks.intake.generic import read_generic
from playbooks.intake.read import read_alert
from playbooks.respond.judging import judge
from playbooks.respond.opening import open_by_hand
from playbooks.respond.take import REMEMBERED, accept, rejecting, take
from playbooks.wiring.automatic_terms import Automatic, Guard
from playbooks.wiring.channel_terms import Sender
from playbooks.wiring.settings import Account

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LATER = "2026-03-04T11:30:00Z"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/stanch/responder"


@pytest.fixture
def at(tmp_path):
    made = house(tmp_path)
    yield made
    made.parts.engine.dispose()


def alert(**changes):
    return read_generic(data(**changes), SENDER, received=NOW)


def taken(at, **changes):
    return take(at.parts, at.db, alert(**changes), f"siem:{SENDER}")


def kinds(at, incident):
    from evidence import ledger

    return at.db.read(lambda conn: [e.leaf.kind for e in ledger.entries(conn, incident)])


def close(at, status):
    at.db.commit(lambda conn: store.set_status(conn, "INC-0001", status))


def works(at):
    return [row[0] for row in at.rows("SELECT incident FROM work ORDER BY id")]


def test_another_finding_on_the_host_joins_and_brings_its_severity(at):
    first = taken(at, severity=7.0)
    second = taken(at, uid="scan-1", type="scan", severity=9.1)
    assert (first.new, second.new) == (True, False)
    assert (second.incident.id, second.incident.severity.value) == ("INC-0001", "P0")
    assert kinds(at, "INC-0001") == ["case.open", "alert.joined", "severity.raised"]
    assert works(at) == ["INC-0001"]


@pytest.mark.parametrize(
    "other",
    [
        {"host": "i-0a1b2c3d4e5f60719"},
        {"region": "eu-west-2"},
        {"account": "444455556666"},
        {"sample": True},
        {"type": "unheard-of"},
    ],
    ids=str,
)
def test_what_is_about_something_else_or_no_real_finding_opens_its_own(at, other):
    taken(at)
    assert taken(at, uid="other", **other).incident.id == "INC-0002"


def test_the_same_id_from_two_senders_is_two_findings_of_one_incident(at):
    taken(at)
    again = read_generic(data(), "other", received=NOW)
    assert take(at.parts, at.db, again).incident.id == "INC-0002"  # Its rules mean nothing here.
    assert at.counts()["alerts"] == 2


@pytest.mark.parametrize("status", ["rolled-back", *store.RELEASED, "gone"])
def test_a_closed_incident_is_joined_by_nothing_new(at, status):
    taken(at)
    close(at, status)
    assert taken(at, uid="other").incident.id == "INC-0002"


@pytest.mark.parametrize("status", ["open", "waiting", "contained", "partial", "refused"])
def test_any_other_is(at, status):
    taken(at)
    close(at, status)
    assert taken(at, uid="other").incident.id == "INC-0001"


def test_what_happened_before_the_release_was_asked_for_is_no_newer_occurrence(at):
    taken(at)
    asked = NOW - timedelta(minutes=40)
    question = Question(
        id="",
        incident="INC-0001",
        step="release/1",
        scopes=(),
        about={},
        requester="alice",
        asked=asked,
        expires=NOW,
        state="used",
    )
    at.db.commit(lambda conn: store.add_question(conn, question))
    close(at, "released")
    before, after = (asked + timedelta(seconds=s) for s in (0, 1))
    assert taken(at, count=8, last_seen=before.isoformat()).incident.id == "INC-0001"
    assert taken(at, count=9, last_seen=after.isoformat()).incident.id == "INC-0002"


@pytest.mark.parametrize("newer", [{"count": 3}, {"last_seen": LATER}], ids=str)
def test_after_a_release_a_newer_occurrence_is_another_incident_and_a_repeat_is_not(at, newer):
    taken(at)
    close(at, "released")
    assert taken(at).incident.id == "INC-0001"
    assert taken(at, **newer).incident.id == "INC-0002"
    assert taken(at, **newer).incident.id == "INC-0002"
    assert works(at) == ["INC-0001", "INC-0002"]
    assert at.rows("SELECT incident FROM alerts") == [("INC-0002",)]


def test_what_a_person_judged_false_stays_so_however_often_it_comes(at):
    taken(at, severity=5.0)
    close(at, "rolled-back")
    again = taken(at, severity=9.5, count=7)
    assert (again.incident.id, again.incident.severity.value) == ("INC-0001", "P2")
    assert again.incident.hindrances
    assert taken(at, severity=9.9, count=7).incident.id == "INC-0001"
    assert kinds(at, "INC-0001") == ["case.open", "alert.repeated"]
    assert at.rows("SELECT count, repeats FROM alerts") == [(7, 1)]
    assert works(at) == ["INC-0001"]


@pytest.mark.parametrize("change", [{"uid": "other"}, {}], ids=["another", "the same"])
def test_the_first_finding_that_may_act_frees_an_incident_that_only_proposed(at, change):
    assert taken(at, severity=5.0).incident.hindrances
    assert not taken(at, severity=8.0, **change).incident.hindrances
    assert kinds(at, "INC-0001").count("case.allowed") == 1
    assert works(at) == ["INC-0001", "INC-0001"]
    taken(at, severity=3.0, uid="third")
    assert not at.db.read(lambda conn: store.incident(conn, "INC-0001")).hindrances


def test_a_sample_frees_nothing(at):
    assert taken(at, severity=5.0).incident.hindrances
    taken(at, severity=8.0, uid="other", sample=True)
    assert at.db.read(lambda conn: store.incident(conn, "INC-0001")).hindrances


def test_a_finding_joins_what_a_person_opened(at):
    target = {"account": ACCOUNT, "region": REGION, "id": HOST}
    made = open_by_hand(at.parts, at.db, "compromised-instance", target, "odd traffic", "alice")
    assert taken(at).incident.id == made.id
    assert at.rows("SELECT why FROM work") == [("by hand",)]


def test_a_finding_that_names_nothing_joins_nothing(at):
    for uid in ("one", "two"):
        found = replace(alert(uid=uid), resource=replace(alert().resource, uid=None))
        assert take(at.parts, at.db, found).new


def test_guardduty_by_queue_and_by_siem_is_one_finding(at):
    forms = [enveloped(tor_client()), tor_client(), as_api(tor_client())]
    new = [
        take(at.parts, at.db, read_alert(json.dumps(form).encode(), received=NOW)).new
        for form in forms
    ]
    assert new == [True, False, False]
    assert at.rows("SELECT count(*), max(repeats) FROM alerts") == [(1, 2)]


def test_no_play_means_no_work_and_nobody_is_forgotten(at):
    made = taken(at, type="unheard-of").incident
    assert (made.play, works(at)) == ("", [])
    assert "person decides" in " ".join(made.hindrances)


@pytest.mark.parametrize(
    "own",
    [
        {"guard": Guard(own=(ROLE,))},
        {"accounts": {ACCOUNT: Account(role=ROLE)}},
        {"guard": Guard(own=("i-0a1b2c3d4e5f60718",))},
        {"guard": Guard(own=(f"{ACCOUNT}:role/front",))},
    ],
    ids=str,
)
def test_a_finding_on_stanchs_own_role_or_host_is_the_worst_and_only_proposes(tmp_path, own):
    found = stolen_role()
    found["resource"]["accessKeyDetails"]["userName"] = (
        "front" if "front" in str(own) else "responder"
    )
    at = house(tmp_path, **own)
    found = read_alert(json.dumps(found).encode(), received=NOW)
    incident = take(at.parts, at.db, found).incident
    assert incident.severity.value == "P0"
    assert "act on it by hand" in " ".join(incident.hindrances)
    at.parts.engine.dispose()


def test_what_this_process_runs_as_is_its_own_too(at):
    parts = replace(at.parts, own=lambda: frozenset({HOST}))
    incident = take(parts, at.db, alert(severity=2.0)).incident
    assert incident.severity.value == "P0"
    assert incident.hindrances


@pytest.mark.parametrize(
    ("settings", "change", "said"),
    [
        ({}, {"type": "unheard-of"}, "says nothing of"),
        ({"automatic": None}, {}, "allow-list"),
        ({"automatic": None}, {"type": "UnauthorizedAccess:EC2/TorClient"}, "allow-list"),
        ({"automatic": Automatic(types=("scan",))}, {}, "allow-list"),
        ({}, {"severity": 6.9}, "below the floor"),
        ({}, {"sample": True}, "sample"),
        ({}, {"resource": {"kind": "role", "uid": "front"}}, "acts on instance"),
        ({}, {"account": "444455556666"}, "not in the settings"),
        ({}, {"type": "gone-play"}, "no play for it yet"),
        ({"sources": {}}, {}, "says nothing of"),
    ],
    ids=str,
)
def test_a_siems_rule_acts_only_where_the_team_has_said_so_twice(at, settings, change, said):
    plays = {
        "beacon": "compromised-instance",
        "gone-play": "no-such-play",
        "UnauthorizedAccess:EC2/TorClient": "compromised_instance",
    }
    both = {"sources": {SENDER: Sender(keys=("env:X",), plays=plays)}} | settings
    changed = at.parts.settings.model_copy(update=both)
    assert judge(alert(), at.parts.settings)[1] == ()
    _, why = judge(alert(**change), changed)
    assert any(said in reason for reason in why), why


def test_requests_are_remembered_for_longer_than_they_could_be_replayed(at):
    now = at.parts.now()
    old, young = now - REMEMBERED - timedelta(seconds=1), now - REMEMBERED + timedelta(minutes=1)
    digests = {"a" * 64: old, "b" * 64: young, "00" * 32: now}
    for digest, signed in digests.items():
        accept(at.parts, at.db, alert(), Came(f"siem:{SENDER}", digest, signed))
    assert {row[0] for row in at.rows("SELECT digest FROM seen")} == {"b" * 64, "00" * 32}


def test_dead_letters_are_bounded_in_number_and_size_and_say_what_is_cut(at):
    row = "INSERT INTO rejected VALUES ({}, 'c', '2026-03-04T12:00:00+00:00', 'r', '', 0, '')"
    reject = rejecting(at.parts, at.db)

    def before(conn):
        for number in (1, 10_001, 10_002, 20_000):
            conn.exec_driver_sql(row.format(number))

    at.db.commit(before)
    reject(b"\0" + b"\xff" * 70_000, Came("siem:edr"), "why\n" * 2000)
    numbers = [row[0] for row in at.rows("SELECT id FROM rejected ORDER BY id")]
    assert numbers == [10_002, 20_000, 20_001]
    letter = at.db.read(store.rejected)[0]
    assert (len(letter.body), letter.size, len(letter.reason)) == (65_536, 70_001, 2000)
    assert "\0" not in letter.body
    assert kinds(at, "deployment") == ["alert.rejected"]


def test_when_each_source_last_brought_something_new_is_known(at):
    taken(at)
    take(at.parts, at.db, replace(alert(uid="x"), received=NOW + timedelta(hours=1)), "queue:main")
    found = at.db.read(store.last_received)
    assert found == {f"siem:{SENDER}": NOW, "queue:main": NOW + timedelta(hours=1)}
    assert KEY.decode() not in str(at.parts.settings)
