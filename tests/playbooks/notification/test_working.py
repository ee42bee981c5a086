"""The play tells who is owed what by when, reminds in time, and waits until people closed all."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from playbooks.case import store
from playbooks.case.incident import Incident
from playbooks.duties.ticking import Reminder
from playbooks.errors import SettingsError
from playbooks.notification import reminding, subject
from playbooks.notification.errors import EntryError
from playbooks.notify_regulators import notify_regulators
from playbooks.respond.opening import open_by_hand
from tests.playbooks.notification.telling import (
    MD,
    MD_AG,
    ago,
    anchor,
    decide_all,
    facts,
    say,
    seen,
)
from tests.playbooks.scene import Scene, apart

BODY: Any = notify_regulators.fn.body  # type: ignore[attr-defined]


def opened(scene: Scene, of: str, by: str = "lena") -> Incident:
    scene.person(by)
    aim = {"account": "", "region": "", "id": of}
    return open_by_hand(scene.parts, scene.store, "notify-regulators", aim, "r", by)


def told(scene: Scene, worker: Incident) -> list[dict[str, Any]]:
    return [e.body for e in scene.entries(worker) if e.leaf.kind == "notification"]


def timers(scene: Scene, worker: Incident) -> list[Any]:
    rows = scene.store.read(lambda conn: store.open_work(conn, worker.id))
    return [row.due for row in rows if row.why == store.TIMER]


def close_all_but(scene: Scene, incident: Incident, *left: str) -> None:
    """Answer what only may be owed, then sign off or send whatever is open."""
    facts(scene, incident, counts_complete="true")
    clocks = seen(scene, incident).clocks
    open_now = [k for k, row in clocks.items() if k not in left and row.closed is None]
    for by in ("alice", "bob"):
        decide_all(scene, incident, open_now, by)


@apart
def test_it_waits_for_people_and_ends_when_all_is_closed(scene: Scene) -> None:
    incident = scene.take()
    worker = opened(scene, incident.id)
    ending = scene.enter(worker, BODY)
    assert ending.state == "Waiting"
    assert "may be owed" in ending.says
    assert scene.now(worker).status == "under way"
    facts(scene, incident)
    anchor(scene, incident, discovery=ago(scene, hours=2))
    why = [row.why for row in scene.store.read(lambda c: store.open_work(c, worker.id))]
    assert "duties changed" in why, "whoever works them looks again"
    scene.enter(worker, BODY)
    (lines,) = [b["facts"]["owed"] for b in told(scene, worker) if "7 duties of" in b["what"]]
    assert len(lines) == 7
    assert any(MD in line and "Affected residents of Maryland" in line for line in lines)
    close_all_but(scene, incident, MD, MD_AG)
    assert scene.enter(worker, BODY).state == "Waiting"
    say(scene, incident, "sent", duty=MD_AG, sent=ago(scene, minutes=30))
    say(scene, incident, "sent", duty=MD, sent=ago(scene, minutes=10))
    ending = scene.enter(worker, BODY)
    assert (ending.state, ending.status) == ("Completed", "done")
    assert [b["what"] for b in told(scene, worker)][-1] == "all duties are closed"
    assert "case.seal" in scene.kinds(worker)


@apart
def test_reminders_come_at_their_times_each_once(scene: Scene) -> None:
    incident = scene.take()
    worker = opened(scene, incident.id)
    facts(scene, incident)
    anchor(scene, incident, discovery=ago(scene, hours=2))
    close_all_but(scene, incident, MD, MD_AG)
    say(scene, incident, "checklist", duty=MD, items={"owner": "olga"})
    scene.enter(worker, BODY)
    due = seen(scene, incident).clocks[MD].due
    labels, whom = [], {}
    for _ in range(12):
        if not (ahead := [t for t in timers(scene, worker) if t > scene.parts.now()]):
            break
        scene.world.tick((min(ahead) - scene.parts.now()).total_seconds())
        scene.enter(worker, BODY)
        again = len(told(scene, worker))
        scene.enter(worker, BODY)
        assert len(told(scene, worker)) == again, "an entry more tells nothing twice"
        for one in told(scene, worker):
            label = one["what"].partition(":")[0]
            if MD in one["facts"].get("owed", ()) and label not in labels:
                labels.append(label)
                whom[label] = one["told"]
    assert labels == ["half the time left", "24 h left", "4 h left", "1 h left", "overdue"]
    assert scene.parts.now() >= due
    assert whom["24 h left"] == ["olga", "security-team"]
    assert whom["overdue"] == ["olga", "lena", "security-team"]
    assert scene.enter(worker, BODY).state == "Waiting", "overdue is not done"


@apart
def test_a_date_that_moves_is_reminded_of_anew(scene: Scene) -> None:
    incident = scene.take()
    worker = opened(scene, incident.id)
    facts(scene, incident)
    anchor(scene, incident, discovery=ago(scene, days=44.5))
    scene.enter(worker, BODY)
    assert MD in seen(scene, incident).clocks
    scene.world.tick(timedelta(days=2).total_seconds())
    scene.enter(worker, BODY)
    assert seen(scene, incident).clocks[MD].level > 0
    anchor(scene, incident, discovery=ago(scene, days=30))
    assert seen(scene, incident).clocks[MD].level == 0


@apart
def test_of_a_date_that_moved_while_it_was_told_nothing_counts_as_told(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    anchor(scene, incident, discovery=ago(scene, days=2))
    before = seen(scene, incident).clocks
    scene.world.tick(60)
    anchor(scene, incident, discovery=ago(scene, days=9))
    same = [Reminder(duty, "1 h left", scene.parts.now(), (), 4) for duty in (MD, MD_AG)]
    work = partial(reminding._count, incident=incident.id, same=same, seen=before)
    scene.store.commit(work)
    assert seen(scene, incident).clocks[MD].level == 0


@apart
def test_it_works_the_duties_of_one_incident_once(scene: Scene) -> None:
    incident = scene.take()
    first, second = opened(scene, incident.id), opened(scene, incident.id)
    scene.enter(first, BODY)
    ending = scene.enter(second, BODY)
    assert (ending.state, first.id in ending.says) == ("Refused", True)
    nobody = scene.enter(opened(scene, "INC-0999"), BODY)
    assert (nobody.state, "no incident" in nobody.says) == ("Refused", True)
    with pytest.raises(EntryError, match=f"works the duties of {incident.id}"):
        facts(scene, first)
    itself = scene.enter(opened(scene, first.id), BODY)
    assert (itself.state, "name that one" in itself.says) == ("Refused", True)
    with pytest.raises(SettingsError, match="acts on incident"):
        opened(scene, "user/alice")
    assert first.place == f"duties/-/incident/{incident.id}"
    assert subject.subject_of(first) == incident.id


@apart
def test_a_dry_run_derives_and_tells_nothing(scene: Scene) -> None:
    incident = scene.take()
    worker = opened(scene, incident.id)
    case = scene.case(worker, BODY)
    case.dry = True
    asyncio.run(BODY(case))
    assert "duty.derived" not in scene.kinds(incident)
    assert told(scene, worker) == []
