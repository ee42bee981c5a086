"""What a process left behind is found, finished and made due; what it lost, it may not touch."""

import asyncio
import os
import signal
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from playbooks.case import holding, schema, store
from playbooks.case.case import Case
from playbooks.case.incident import Incident
from playbooks.case.store import LEASE
from playbooks.errors import BusyError, LostLeaseError
from playbooks.respond import reconciler
from tests.deployment import go
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.case.test_entering import half_way
from tests.playbooks.respond.test_responder import responder, worked
from tests.playbooks.scene import Scene, apart, nothing

# Another host's process: nobody here can tell whether it lives.
ELSEWHERE = "elsewhere:1:2:3"


def open_work(scene: Scene, incident: Incident) -> list[str]:
    rows = scene.store.read(lambda conn: store.open_work(conn, incident.id))
    return [w.why for w in rows if w.why != store.TIMER]


def settle(scene: Scene, incident: Incident) -> None:
    """Take for done all that is to be done, as an entry by hand leaves it."""
    table = schema.work
    done = update(table).where(table.c.incident == incident.id).values(done=True)
    scene.store.commit(lambda conn: conn.execute(done))


def held_by(scene: Scene, incident: Incident, holder: str) -> Any:
    """Give the incident to a holder, whose lease then runs."""
    now = scene.world.now()
    return scene.store.commit(
        lambda conn: store.take(conn, incident.id, holder, holding.alive, now)
    )


def killed(scene: Scene, incident: Incident) -> None:
    """Enter in a child that is killed by SIGKILL in the middle of a verb."""
    pid = os.fork()
    if pid == 0:

        async def die(case: Case) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        asyncio.run(go(scene.deployment.parts(), incident, die))
    os.waitpid(pid, 0)


@apart
def test_what_a_killed_process_held_is_due_at_once(scene: Scene) -> None:
    incident = scene.take()
    settle(scene, incident)
    killed(scene, incident)
    assert reconciler.reconcile(scene.parts, scene.store) == [incident.id]
    assert open_work(scene, incident) == [reconciler.WHY]
    reconciler.reconcile(scene.parts, scene.store)
    assert open_work(scene, incident) == [reconciler.WHY]
    asyncio.run(worked(responder(scene)))
    assert scene.now(incident).status.startswith("contained")
    assert reconciler.reconcile(scene.parts, scene.store) == []


@apart
def test_what_somebody_may_still_hold_is_left_until_the_lease_ends(scene: Scene) -> None:
    incident = scene.take()
    settle(scene, incident)
    held_by(scene, incident, ELSEWHERE)
    scene.world.tick(LEASE.total_seconds() - 1)
    assert reconciler.reconcile(scene.parts, scene.store) == []
    with pytest.raises(BusyError):
        scene.enter(incident, nothing)
    scene.world.tick(2)
    assert reconciler.reconcile(scene.parts, scene.store) == [incident.id]
    assert scene.enter(incident, nothing).state == "Completed"


@apart
def test_a_host_left_open_is_closed_before_any_play(scene: Scene) -> None:
    incident, _ = half_way(scene, "intended")
    settle(scene, incident)
    asyncio.run(reconciler.boot(scene.parts, scene.store))
    assert not scene.world.can_connect("203.0.113.9/32", scene.estate.target, 22)
    assert open_work(scene, incident) == [reconciler.WHY]


@apart
def test_what_ended_is_not_entered_again(scene: Scene) -> None:
    incident = scene.take()
    asyncio.run(worked(responder(scene)))
    scene.world.calls.clear()
    asyncio.run(reconciler.boot(scene.parts, scene.store))
    assert reconciler.reconcile(scene.parts, scene.store) == []
    assert open_work(scene, incident) == []
    assert scene.world.calls == []


@apart
def test_one_account_that_is_away_keeps_no_other_waiting(scene: Scene) -> None:
    incident, _ = half_way(scene, "intended")
    asyncio.run(reconciler.finish(scene.parts, scene.store, ["INC-0404", incident.id]))
    assert not scene.world.can_connect("203.0.113.9/32", scene.estate.target, 22)


@apart
def test_a_process_that_lost_its_lease_commits_nothing_more(scene: Scene) -> None:
    incident = scene.take()
    seen: list[str] = []

    async def paused(case: Case) -> None:
        # It stands still for longer than its lease, and somebody elsewhere takes over.
        scene.world.tick(LEASE.total_seconds() + 1)
        table = schema.incidents
        theirs = update(table).where(table.c.id == incident.id)
        scene.store.commit(
            lambda conn: conn.execute(theirs.values(holder=ELSEWHERE, fence=table.c.fence + 1))
        )
        await tagging(case)
        seen.append("went on")

    with pytest.raises(LostLeaseError):
        scene.enter(incident, paused)
    assert seen == []
    assert scene.changed() == []
    assert scene.steps(incident) == {}
    assert scene.holder(incident) == ELSEWHERE
    assert "play.ended" not in scene.kinds(incident)


@apart
def test_what_cannot_be_repeated_waits_for_who_may_be_paused(scene: Scene) -> None:
    incident = scene.take()
    held_by(scene, incident, ELSEWHERE)
    scene.world.tick(LEASE.total_seconds() + 1)
    begun = scene.world.now()
    waited: list[timedelta] = []

    async def once(case: Case) -> None:
        await tagging(case)
        waited.append(scene.world.now() - begun)
        await case.quiet()
        waited.append(scene.world.now() - begun)

    assert scene.enter(incident, once).state == "Completed"
    reversible, quiet = waited
    assert reversible < timedelta(seconds=60)
    assert quiet >= store.CALL - timedelta(seconds=2)
    # It was waited for once: whoever was paused has long been turned away.
    scene.world.tick(1)
    begun = scene.world.now()
    waited.clear()
    assert scene.enter(incident, once).state == "Completed"
    assert waited[1] < timedelta(seconds=60)


@apart
def test_a_holder_that_is_surely_dead_makes_nobody_wait(scene: Scene) -> None:
    incident = scene.take()
    killed(scene, incident)
    waited: list[timedelta] = []

    async def body(case: Case) -> None:
        begun = scene.world.now()
        await case.quiet()
        waited.append(scene.world.now() - begun)

    assert scene.enter(incident, body).state == "Completed"
    assert waited[0] < timedelta(seconds=1)


@apart
def test_what_is_long_done_is_forgotten_and_nothing_else(scene: Scene) -> None:
    incident = scene.take()
    asyncio.run(worked(responder(scene)))

    def rows() -> list[tuple[str, bool]]:
        table = schema.work
        query = table.select().where(table.c.incident == incident.id)
        return [(r.why, r.done) for r in scene.store.read(lambda c: list(c.execute(query)))]

    reconciler.reconcile(scene.parts, scene.store)
    before = rows()
    assert ("alert", True) in before
    scene.world.tick(reconciler.KEPT.total_seconds() + 1)
    reconciler.reconcile(scene.parts, scene.store)
    assert rows() == [row for row in before if not row[1]]


@apart
def test_a_clock_that_jumps_takes_nothing_from_who_goes_on(scene: Scene) -> None:
    incident = scene.take()
    found: list[list[str]] = []

    async def body(case: Case) -> None:
        scene.world.tick(3600)
        found.append(reconciler.reconcile(scene.parts, scene.store))
        await tagging(case)

    assert scene.enter(incident, body).state == "Completed"
    assert found == [[]]


@apart
def test_a_clock_set_back_makes_nobody_wait_longer_than_a_call(scene: Scene) -> None:
    incident = scene.take()
    held_by(scene, incident, ELSEWHERE)
    scene.world.tick(LEASE.total_seconds() + 1)
    waited: list[timedelta] = []

    async def body(case: Case) -> None:
        scene.world.ground.offset -= 3600
        begun = scene.world.now()
        await case.quiet()
        waited.append(scene.world.now() - begun)

    assert scene.enter(incident, body).state == "Completed"
    assert waited[0] <= store.CALL + timedelta(seconds=2)
