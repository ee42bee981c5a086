"""What Stanch does not do without its database, and what its spool tells when something is lost."""

import asyncio
import os
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from evidence import ledger
from playbooks.case import freezing, spooling, store
from playbooks.case.enter import enter
from playbooks.case.record import Record
from playbooks.case.severity import Severity
from playbooks.case.spool import Spool, alone, running
from playbooks.case.spooling import Run, SpooledCase, cannot_commit
from playbooks.case.store import EVERYWHERE
from playbooks.errors import BusyError, SpoolError, StoppedError, UnknownIncidentError
from playbooks.intake.accepted import Accepted, Arrival, Came
from playbooks.intake.errors import ReplayedError
from playbooks.respond import spooled_alert, standby
from playbooks.respond.emergency import FRESH
from playbooks.wiring.automatic_terms import Automatic
from tests.playbooks.respond.away import (
    REFLEX,
    Failing,
    alert,
    answer,
    emergency,
    enter_again,
    missing,
    recorded,
    well,
)
from tests.playbooks.scene import Scene, apart

NOTHING_DONE = ["sessions are not denied", "not protected", "not in standby"]


def bodies(found: Any) -> list[Any]:
    return [record.body for record in found.spool.read().records]


@apart
def test_too_old_a_look_is_not_acted_on_and_the_alert_is_kept(scene: Scene) -> None:
    at = [1000.0]
    found = emergency(scene, clock=lambda: at[0])
    found.refresh()
    failing = Failing(scene.parts.engine, "read-only", 1)
    scene.parts.engine.dispose()
    real, found._known._db.read = found._known._db.read, unreadable  # type: ignore[method-assign]
    at[0] += FRESH + 1
    (ending,) = answer(scene, found, alert(scene))
    assert ending.state == "Proposed"
    assert "too old" in ending.says
    assert missing(scene) == NOTHING_DONE
    assert [b["what"] for b in bodies(found)] == ["alert", "note"]
    failing.mend()
    found._known._db.read = real  # type: ignore[method-assign]
    found.bring_in()
    (incident,) = scene.store.read(store.incidents)
    assert enter_again(scene, incident, REFLEX).state == "Completed"
    assert well(scene) == ""


def unreadable(work: Any) -> Any:
    raise OperationalError("SELECT", {}, Exception("gone"))


@apart
def test_a_freeze_holds_without_the_database_too(scene: Scene) -> None:
    record = Record("alice", scene.parts.now, scene.parts.random)
    freezing.freeze(scene.store, record, EVERYWHERE, "a deploy goes wrong")
    found = emergency(scene)
    found.refresh()
    Failing(scene.parts.engine, "read-only", 1)
    (ending,) = answer(scene, found, alert(scene))
    assert ending.state == "Frozen"
    assert "alice" in ending.says
    assert missing(scene) == NOTHING_DONE


@apart
def test_what_is_not_approved_beforehand_is_proposed(scene: Scene) -> None:
    scene.set(automatic=Automatic(types=("Trojan:EC2/DNSDataExfiltration",)))
    found = emergency(scene)
    found.refresh()
    failing = Failing(scene.parts.engine, "read-only", 1)
    (ending,) = answer(scene, found, alert(scene))
    assert ending.state == "Proposed"
    assert missing(scene) == NOTHING_DONE
    failing.mend()
    assert found.bring_in() == 2
    (incident,) = scene.store.read(store.incidents)
    assert incident.hindrances
    assert [w.why for w in scene.store.read(lambda c: store.open_work(c, incident.id))] == [
        "alert",
        "import",
    ]


@apart
def test_repeats_while_it_is_away_take_no_room_and_open_nothing(scene: Scene) -> None:
    found = emergency(scene)
    found.refresh()
    failing = Failing(scene.parts.engine, "read-only", 1)
    told = alert(scene)
    answer(scene, found, told)
    taken = len(bodies(found))
    for _ in range(20):
        assert answer(scene, found, told) == []
    assert len(bodies(found)) == taken
    # A higher count is news, and goes the same way once more without doing anything twice.
    (ending,) = answer(scene, found, replace(told, count=told.count + 1))
    assert ending.state == "Completed"
    failing.mend()
    found.bring_in()
    (incident,) = scene.store.read(store.incidents)
    assert well(scene) == ""
    assert "alert.repeated" in scene.kinds(incident)
    # It was opened when it was known, and says of each entry when that happened.
    assert incident.opened == told.received
    spooled = [e for e in scene.entries(incident) if e.body.get("spooled")]
    assert {"spool.began", "action.intent", "action.done", "reflex.ended"} <= {
        e.leaf.kind for e in spooled
    }
    assert all(e.leaf.event_time <= e.leaf.record_time for e in spooled)


@apart
def test_a_finding_that_only_grows_more_severe_is_news(scene: Scene) -> None:
    found = emergency(scene)
    found.refresh()
    failing = Failing(scene.parts.engine, "read-only", 1)
    told = alert(scene)
    (ending,) = answer(scene, found, replace(told, severity=2.0, severity_id=2))
    assert ending.state == "Proposed"
    (ending,) = answer(scene, found, told)
    assert ending.state == "Completed"
    assert answer(scene, found, told) == []
    failing.mend()
    found.bring_in()
    (incident,) = scene.store.read(store.incidents)
    assert (incident.severity, incident.hindrances) == (Severity.P1, ())
    assert well(scene) == ""


@apart
def test_a_signed_request_counts_once_before_during_and_after(scene: Scene) -> None:
    found = emergency(scene)
    found.refresh()
    came = Came("siem:one", "ab" * 32, scene.parts.now())
    failing = Failing(scene.parts.engine, "read-only", 1)
    (taken,) = found.accepting([Arrival(alert(scene), came)])
    assert isinstance(taken, Accepted)
    assert taken.new
    (again,) = found.accepting([Arrival(alert(scene), came)])
    assert isinstance(again, ReplayedError)
    failing.mend()
    found.bring_in()
    (later,) = found.accepting([Arrival(alert(scene), came)])
    assert isinstance(later, ReplayedError)
    assert len(scene.store.read(store.incidents)) == 1


@apart
def test_an_alert_that_was_committed_after_all_is_one_incident(scene: Scene) -> None:
    """The database took it, and went before it said so: the spool has it as well."""
    came = Came("siem:one", "ab" * 32, scene.parts.now())
    told = alert(scene)
    found = emergency(scene)
    found.accepting([Arrival(told, came)])
    (known,) = scene.store.read(store.incidents)
    run = Run("SPOOL-0000000000", "SPOOL-0000000000", known.place, found.spool, scene.parts.now)
    run.tell("alert", why="OperationalError", **spooled_alert.written(told, came))
    assert found.bring_in() == 1
    assert [i.id for i in scene.store.read(store.incidents)] == [known.id]
    assert "spool.began" in scene.kinds(known)


@apart
def test_nothing_else_runs_on_the_target_until_it_is_brought_in(scene: Scene) -> None:
    found = emergency(scene)
    incident = scene.take()
    failing = Failing(scene.parts.engine, "read-only", 1)
    run = found.began(incident.id, OperationalError("", {}, Exception()))
    asyncio.run(found.contain(run))
    failing.mend()
    with pytest.raises(BusyError, match="waits in the spool"):
        scene.enter(incident, REFLEX)
    with running(found.spool):
        # While something still goes on, nobody brings a part of it in.
        assert found.bring_in() == 0
    with alone(found.spool) as mine:
        assert mine
        assert found.bring_in() == 0
    assert found.bring_in() > 0
    assert enter_again(scene, incident, REFLEX).state == "Completed"
    assert well(scene) == ""


@apart
def test_a_record_that_was_damaged_is_told_and_the_others_come_in(scene: Scene) -> None:
    found = emergency(scene)
    found.refresh()
    failing = Failing(scene.parts.engine, "read-only", 1)
    answer(scene, found, alert(scene))
    count = len(bodies(found))
    data = bytearray(found.spool.path.read_bytes())
    data[data.index(b'"what":"done"') + 9] ^= 1
    found.spool.path.write_bytes(data)
    found.spool.append({"what": "nonsense"})
    failing.mend()
    assert found.bring_in() == count
    (incident,) = scene.store.read(store.incidents)
    # The step whose outcome was lost stands as intended, and is found done when entered again.
    assert sorted({s[0] for s in recorded(scene)["steps"].values()}) == ["done", "intended"]
    enter_again(scene, incident, REFLEX)
    assert well(scene) == ""
    deployment = scene.store.read(lambda c: list(ledger.entries(c, "deployment")))
    (told,) = [e.body for e in deployment if e.leaf.kind == "spool.imported"]
    assert len(told["damage"]) == 1
    assert told["unfit"] == [count]
    assert len(list(found.spool.path.parent.glob("damaged-*"))) == 1


@apart
def test_without_room_in_the_spool_nothing_is_acknowledged_or_done(scene: Scene) -> None:
    found = emergency(scene)
    found.refresh()
    fill = {"what": "note", "text": "x" * 60_000}
    with pytest.raises(SpoolError, match="full"):  # noqa: PT012
        while True:
            found.spool.append(fill)
    failing = Failing(scene.parts.engine, "read-only", 1)
    (answered,) = found.accepting([Arrival(alert(scene), Came("by hand"))])
    assert isinstance(answered, OperationalError)
    assert found.waiting() == []
    assert missing(scene) == NOTHING_DONE
    # The database is asked then, though others wait in the spool.
    failing.mend()
    (taken,) = found.accepting([Arrival(alert(scene), Came("by hand"))])
    assert isinstance(taken, Accepted)


@apart
def test_only_sealing_fails_and_only_what_has_a_way_back_is_done(scene: Scene) -> None:
    from actions.aws.snapshot_volumes import SnapshotVolumes
    from evidence.sources.instance_facts import InstanceFacts

    found = emergency(scene)
    incident = scene.take()
    memory = found._away()
    run = found.began(incident.id, OperationalError("", {}, Exception()))
    case = SpooledCase(scene.parts, memory, incident, REFLEX, incident.play, run=run)
    host = case.target

    async def verbs() -> None:
        left = await case.act(SnapshotVolumes(host))
        assert "no way back" in left.why
        facts = InstanceFacts(host.instance_id, host.account, host.region)
        assert (await case.keep(facts)).missed
        await case.tell(("team",), "opened")
        with pytest.raises(StoppedError, match="not sealed"):
            await case.seal("interim")
        with pytest.raises(StoppedError, match="not undone"):
            case.journal.undoing("any")

    asyncio.run(verbs())
    assert scene.changed() == []
    kinds = [b.get("kind") for b in bodies(found) if b["what"] == "note"]
    assert kinds == ["action.left", "keep.missed", "notification"]
    found.bring_in()
    assert {"action.left", "keep.missed", "notification"} <= set(scene.kinds(incident))


@apart
def test_a_database_that_comes_and_goes_leaves_no_step_out(scene: Scene) -> None:
    """Made when something else was spooled, the memory does not know what was committed since."""
    found = emergency(scene)
    found._away()
    incident = scene.take()
    for intent in (False, True):
        failing = Failing(scene.parts.engine, "read-only", 6 if intent else 1)
        try:
            db = found.following(incident.id)
            asyncio.run(
                enter(scene.parts, db, incident.id, REFLEX, "p", alive=lambda holder: False)
            )
        except OperationalError as error:
            run = found.began(incident.id, error) if intent else None
        failing.mend()
    known = {i.step: i.plan for i, _ in scene.store.read(lambda c: store.steps(c, incident.id))}
    assert known, "nothing was committed before it went"
    in_memory = found._away().read(lambda c: store.steps(c, incident.id))
    assert {i.step: i.plan for i, _ in in_memory} == known
    assert run is not None
    asyncio.run(found.contain(run))
    found.bring_in()
    enter_again(scene, incident, REFLEX)
    assert well(scene) == ""


@apart
def test_what_nobody_knows_of_is_not_begun(scene: Scene) -> None:
    found = emergency(scene)
    with pytest.raises(UnknownIncidentError):
        found.began("INC-0099", OperationalError("", {}, Exception()))


@apart
def test_a_process_without_a_spool_says_so_and_works_as_before(scene: Scene) -> None:
    broken = scene.parts.settings.spool.model_copy(
        update={"path": scene.folder / "home" / "x" / "y"}
    )
    (scene.folder / "home" / "x").write_text("in the way")
    scene.set(spool=broken)
    found = standby.prepared(scene.parts, scene.store)
    (taken,) = found.accepting([Arrival(alert(scene), Came("by hand"))])
    assert isinstance(taken, Accepted)
    assert found.unseen() == [taken.incident]
    with pytest.raises(SpoolError):
        spooling.ready(scene.parts.settings, os.urandom)
    assert not Spool(broken.path).path.exists()


def test_only_the_databases_own_trouble_counts() -> None:
    assert cannot_commit(OperationalError("", {}, Exception()))
    assert cannot_commit(PoolTimeoutError())
    assert not cannot_commit(IntegrityError("", {}, Exception()))
    assert not cannot_commit(BusyError("held"))
