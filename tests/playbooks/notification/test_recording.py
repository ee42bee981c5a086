"""What people record opens clocks, and nothing that was opened is ever lost or closed by itself."""

from datetime import timedelta

import pytest

from playbooks.duties.errors import DutiesError, MomentError
from playbooks.duties.moment import instant
from playbooks.duties.scope import anchor_tasks
from playbooks.notification.errors import EntryError
from playbooks.notification.recording import refresh
from tests.playbooks.notification.telling import (
    BR,
    FACTS,
    IA,
    MD,
    ago,
    anchor,
    decide,
    facts,
    few,
    say,
    seen,
)
from tests.playbooks.scene import Scene, apart


@apart
def test_an_incident_has_shadows_and_events_to_record_from_the_first_look(scene: Scene) -> None:
    incident = scene.take()
    assert "duty.derived" not in scene.kinds(incident), "an alert derives nothing"
    found = refresh(scene.parts, scene.store, incident.id)
    assert found.known.shadows["acknowledged"].at == incident.opened
    tasks = {t.anchor: t for t in anchor_tasks(found.duties.values())}
    assert tasks["discovery_or_notification"].earliest is not None
    assert "duty.derived" in scene.kinds(incident)
    clock = found.clocks[MD]
    assert (clock.state, clock.body["status"]) == ("possible", "not_started")
    before = scene.kinds(incident)
    refresh(scene.parts, scene.store, incident.id)
    assert scene.kinds(incident) == before, "a second look finds nothing new"


@apart
def test_an_anchor_opens_the_clocks_that_wait_for_it(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    made = anchor(scene, incident, discovery_or_notification=ago(scene, hours=1))
    assert made.moved.differences[MD][0] == "started"
    clock = seen(scene, incident).clocks[MD]
    assert clock.due is not None
    assert clock.body["conservative_due"]
    kinds = scene.kinds(incident)
    assert kinds[-1] == "duty.derived"
    assert {"duty.fact", "duty.anchor"} <= set(kinds)
    entry = next(e for e in scene.entries(incident) if e.leaf.kind == "duty.anchor")
    assert entry.opening.actor == "alice"
    assert entry.body["proof"].count(".") == 2


@apart
def test_an_anchor_decided_anew_supersedes_and_both_stay(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    first, second = ago(scene, days=2), ago(scene, days=5)
    anchor(scene, incident, discovery=first)
    due = seen(scene, incident).clocks[MD].due
    made = anchor(scene, incident, discovery=second)
    assert made.moved.differences[MD][0] == "earlier"
    assert seen(scene, incident).clocks[MD].due < due
    rows = [r.body["anchors"] for r in seen(scene, incident).rows if r.kind == "anchor"]
    assert [r["discovery"][:19] for r in rows] == [first[:19], second[:19]]


@apart
def test_facts_change_and_nothing_that_was_opened_disappears(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    anchor(scene, incident, discovery=ago(scene, days=2))
    opened = {k for k, c in seen(scene, incident).clocks.items()}
    made = say(scene, incident, "fact", facts={"acquired": "false"})
    assert made.moved.differences[MD][0] == "no_longer_owed"
    now = seen(scene, incident)
    assert now.clocks.keys() >= opened
    assert (now.clocks[MD].state, now.clocks[MD].closed) == ("no_longer_owed", None)
    with pytest.raises(EntryError, match="no longer owed"):
        decide(scene, incident, MD, "alice")
    decide(scene, incident, MD, "alice", "no_longer_owed")
    clock = seen(scene, incident).clocks[MD]
    assert (clock.state, clock.closed_how) == ("closed", "no_longer_owed")
    say(scene, incident, "fact", facts={"acquired": "true"})
    assert seen(scene, incident).clocks[MD].state == "open", "owed again, so open again"


@apart
def test_what_only_may_be_owed_is_settled_by_facts_alone(scene: Scene) -> None:
    incident = scene.take()
    refresh(scene.parts, scene.store, incident.id)
    assert seen(scene, incident).clocks[MD].state == "possible"
    made = say(scene, incident, "fact", facts={"acquired": "false"})
    assert made.moved.differences[MD][0] == "no_longer_owed", "and it is told"
    clock = seen(scene, incident).clocks[MD]
    assert (clock.state, clock.closed_how) == ("closed", "not_owed")


@apart
def test_as_of_an_earlier_time_the_earlier_derivation_is_told(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    anchor(scene, incident, discovery=ago(scene, days=2))
    then, due = scene.parts.now(), seen(scene, incident).duties[MD].clock
    scene.world.tick(3600)
    anchor(scene, incident, discovery=ago(scene, days=9))
    say(scene, incident, "fact", facts={"residents.MD": "0"})
    assert seen(scene, incident).duties[MD].applies.truth is False
    before = seen(scene, incident, as_of=instant(then, "UTC"))
    assert (before.duties[MD].applies.truth, before.duties[MD].clock) == (True, due)


@apart
def test_what_is_withdrawn_no_longer_counts_and_still_stands_in_the_log(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    anchor(scene, incident, discovery=ago(scene, days=2))
    say(scene, incident, "withdrawn", names=["discovery"])
    now = seen(scene, incident)
    assert "discovery" not in now.known.anchors
    assert [r.kind for r in now.rows] == ["fact", "anchor", "withdrawn"]
    with pytest.raises(EntryError, match="nothing of it stands"):
        say(scene, incident, "withdrawn", names=["awareness"])


@apart
def test_a_hold_moves_the_date_where_the_rule_allows_it(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    anchor(scene, incident, discovery=ago(scene, days=2))
    before = seen(scene, incident).clocks
    hold = {"authority": "FBI", "since": ago(scene, days=1), "document": "letter 7"}
    say(scene, incident, "hold", **hold, written=True)
    assert seen(scene, incident).clocks[MD].due == before[MD].due, "no end, no other date"
    until = f"{scene.parts.now().date() + timedelta(days=200)}[America/New_York]"
    say(scene, incident, "hold", **hold, written=True, until=until)
    now = seen(scene, incident).clocks
    assert now[MD].due > before[MD].due
    assert now[BR].due == before[BR].due, "Brazil's rule does not stop for it"
    assert len(seen(scene, incident).known.holds) == 1


@apart
def test_what_makes_no_sense_is_refused_and_nothing_is_recorded(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    before = scene.kinds(incident)
    future = ago(scene, days=-1)
    wrong = (
        ("fact", {"facts": {"no_such_fact": "1"}}, DutiesError),
        ("fact", {"facts": {"persons": "3"}}, DutiesError),  # fewer than by place
        ("fact", {"facts": {}}, EntryError),
        ("fact", {"facts": {"persons": "9000"}, "why": " "}, EntryError),
        ("fact", {"facts": {"persons": "9000"}, "why": "a\x1b[2J"}, EntryError),
        ("fact", {"facts": {"persons": "9000"}, "more": "x"}, EntryError),
        ("anchor", {"anchors": {"awareness": "2026-01-01T10:00"}}, MomentError),
        ("anchor", {"anchors": {"awareness": future}}, EntryError),
        ("anchor", {"anchors": {"us-md/stage:individuals": ago(scene, days=1)}}, EntryError),
        ("sent", {"duty": MD}, EntryError),
        ("sent", {"duty": MD, "received": ago(scene, days=1)}, EntryError),
        ("sent", {"duty": "us-md", "sent": ago(scene, days=1)}, EntryError),
        ("checklist", {"duty": MD, "items": {"no_such": "x"}}, EntryError),
        ("confirmed", {"duty": MD, "rule": "0" * 64}, EntryError),
        ("not_notifying", {"duty": MD, "how": "not_notifying", "rule": "0" * 64}, EntryError),
        ("guess", {"facts": {"persons": "9000"}}, EntryError),
    )
    for kind, body, error in wrong:
        with pytest.raises(error):
            say(scene, incident, kind, **body)
    assert scene.kinds(incident) == before
    assert [r.kind for r in seen(scene, incident).rows] == ["fact"]


@apart
def test_a_decision_not_to_notify_under_a_binding_rule_needs_two(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    anchor(scene, incident, discovery=ago(scene, days=2))
    assert seen(scene, incident).duties[MD].binding
    assert not seen(scene, incident).duties[BR].binding
    decide(scene, incident, MD, "alice")
    decide(scene, incident, MD, "alice")
    assert seen(scene, incident).clocks[MD].state == "awaiting_sign_off"
    decide(scene, incident, MD, "bob")
    clock = seen(scene, incident).clocks[MD]
    assert (clock.state, clock.closed_how) == ("closed", "not_notifying")
    decide(scene, incident, BR, "alice")
    assert seen(scene, incident).clocks[BR].state == "closed"
    say(scene, incident, "fact", facts={"residents.MD": "900"})
    assert "look at the decision again" in seen(scene, incident).standing(MD).flags[0]
    say(scene, incident, "withdrawn", names=[MD])
    assert seen(scene, incident).clocks[MD].state == "open"
    say(scene, incident, "sent", duty=MD, sent=ago(scene, hours=1))
    with pytest.raises(EntryError, match="its notice went out"):
        decide(scene, incident, MD, "alice")


@apart
def test_a_duty_that_was_opened_outlives_its_rule(scene: Scene) -> None:
    incident = scene.take()
    both, one = few("us-md", "us-ia"), few("us-ia")
    say(scene, incident, "fact", facts=FACTS, book=both)
    now = refresh(scene.parts, scene.store, incident.id, one)
    assert (now.clocks[MD].state, now.clocks[IA].state) == ("no_longer_owed", "open")
    body = {"duty": MD, "how": "no_longer_owed", "rule": "0" * 64}
    say(scene, incident, "not_notifying", book=one, **body)
    assert seen(scene, incident).clocks[MD].closed_how == "no_longer_owed"
