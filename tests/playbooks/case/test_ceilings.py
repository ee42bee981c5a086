"""Ceilings over all incidents: so many targets of a place by itself, however many come at once."""

import asyncio
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection

from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.enter_standby import EnterStandby
from actions.aws.instance import Instance
from actions.aws.leave_target_groups import LeaveTargetGroups
from actions.aws.protect_from_termination import ProtectFromTermination
from actions.aws.target_groups import Serving
from actions.journal import Plan
from evidence import ledger
from playbooks.case import crowding, schema, store, weighing
from playbooks.case.case import Case
from playbooks.case.guard import Scope
from playbooks.case.incident import Incident
from playbooks.case.looking import GROUP_TAG, Seen
from playbooks.case.record import Record
from playbooks.case.rehearsing import rehearse
from playbooks.case.store import Store
from playbooks.case.weighing import Outrun, Weighed
from playbooks.drills.range.injectors import FailedCall
from playbooks.respond.scratch import scratch
from playbooks.wiring.automatic_terms import Guard
from tests.actions.scene import forked
from tests.deployment import deployed
from tests.playbooks.scene import Scene, apart, nothing

SERVES = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0a1b"
PATIENCE = 60


def opened(scene: Scene, db: Store, like: Incident, host: str) -> Incident:
    """Open an incident like another, on a host beside the other's."""

    def work(conn: Connection) -> Incident:
        target = {**like.target, "id": host}
        made = store.add_incident(conn, replace(like, target=target, status="open"))
        record = Record("siem", scene.parts.now, scene.parts.random)
        record.note(conn, made.id, "case.open", {"incident": made.id})
        return made

    return db.commit(work)


def sides(scene: Scene, count: int, db: Store) -> list[Incident]:
    """Open incidents on so many hosts of the target's account, service and scaling group."""
    first = scene.take()
    return [opened(scene, db, first, f"i-{n:017x}") for n in range(count)]


def weighed(scene: Scene, incident: Incident, takes: str, seen: Seen) -> Weighed:
    scope = Scope("cut", incident.place, ("policy/x",))
    places = crowding.places(incident.place, takes, seen, scene.parts.settings.guard)
    return Weighed(scope, False, seen, places)


def intended(scene: Scene, db: Store, incident: Incident, what: Weighed) -> str:
    """Record an intent as an act does that the guard had nothing against a moment before."""
    case = Case(scene.parts, db, incident, nothing, incident.play)
    allowed = weighing.allowed(case, what, None)
    try:
        case.journal.intend(f"cut/{incident.place}", "cut", {}, Plan({}, {}, {}), allowed)
    except Outrun as outrun:
        return str(outrun)
    return ""


def raced(scene: Scene, stores: list[Store], work: list[tuple[Incident, Weighed]]) -> list[str]:
    """Let all intend at the same moment, spread over the stores; return what each was told."""
    start = Barrier(len(work))

    def run(number: int) -> str:
        db = stores[number % len(stores)]
        incident, what = work[number]
        start.wait(PATIENCE)
        return intended(scene, db, incident, what)

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, range(len(work))))


IN_SHOP = Seen({GROUP_TAG: "web", "service": "shop"}, frozenset())
KINDS = {
    "account_ceiling": "account 111122223333",
    "service_ceiling": "service shop",
    "group_ceiling": "scaling group web",
}


@pytest.mark.parametrize("kind", KINDS)
@apart
def test_of_twenty_incidents_at_once_as_many_pass_as_the_ceiling_says(
    scene: Scene, kind: str
) -> None:
    scene.guard(**{kind: 3})
    work = [(i, weighed(scene, i, "access", IN_SHOP)) for i in sides(scene, 20, scene.store)]

    wait, go = os.pipe()

    def half() -> str:
        # A process of its own: connections do not outlive a fork.
        scene.store.engine.dispose(close=False)
        os.read(wait, 1)
        return json.dumps(raced(scene, [Store(scene.store.engine)], work[:10]))

    # Forked while no other thread runs, which might hold a lock that the child would wait for.
    with forked(half) as other:
        os.write(go, b"!")
        told = raced(scene, [scene.store], work[10:]) + json.loads(other())
    os.close(wait)
    os.close(go)
    assert sorted(map(bool, told)) == [False] * 3 + [True] * 17
    assert all(f"more than 3 targets of {KINDS[kind]}" in said for said in told if said)
    rows = scene.store.read(
        lambda conn: crowding.recent(conn, scene.parts.settings.guard, scene.parts.now())
    )
    assert len({row.target for row in rows}) == 3


@pytest.fixture
def several(postgres_url: str) -> Iterator[list[Store]]:
    made = [Store(ledger.postgres_engine(postgres_url, connections=6)) for _ in range(4)]
    with made[0].engine.begin() as conn:
        ledger.create_schema(conn)
        schema.metadata.create_all(conn)
    yield made
    for one in made:
        one.engine.dispose()


def test_so_it_is_on_postgresql(several: list[Store], tmp_path: Any) -> None:
    deployment = deployed(tmp_path, guard=Guard(group_ceiling=3))
    parts = replace(deployment.parts(), engine=several[0].engine)
    scene = Scene(deployment, tmp_path, parts, several[0])  # type: ignore[arg-type]
    work = [(i, weighed(scene, i, "access", IN_SHOP)) for i in sides(scene, 20, several[0])]
    told = raced(scene, several, work)
    assert sorted(map(bool, told)) == [False] * 3 + [True] * 17


@apart
def test_two_that_are_each_other_s_last_do_not_both_leave(scene: Scene) -> None:
    one, two = sides(scene, 2, scene.store)
    a, b = one.target["id"], two.target["id"]

    def sees(mine: str, other: str) -> Seen:
        serving = Serving(SERVES, frozenset({mine}), frozenset({other}))
        return Seen({}, frozenset(), (serving,))

    work = [
        (one, weighed(scene, one, "service", sees(a, b))),
        (two, weighed(scene, two, "service", sees(b, a))),
    ]
    told = raced(scene, [scene.store], work)
    assert sorted(map(bool, told)) == [False, True]
    assert any("no other target of target group web is healthy" in said for said in told)


async def denying(case: Case) -> None:
    await case.act(ProtectFromTermination(case.target))
    await case.act(DenyInstanceSessions(case.target))


@apart
def test_beyond_a_ceiling_it_is_asked_and_a_yes_goes_past_it(scene: Scene) -> None:
    scene.guard(group_ceiling=1)
    first, end = scene.play(denying)
    assert end.state == "Completed"
    second = opened(scene, scene.store, first, scene.estate.sibling)
    assert scene.enter(second, denying).state == "Waiting"
    # What takes nothing is done; what takes something waits.
    assert set(scene.steps(second)) == {"protect_from_termination"}
    question = scene.asked(second)
    assert any("scaling group web" in why for why in question.about["why"])
    scene.say(question)
    assert scene.enter(second, denying).state == "Completed"
    # The first host is among those that the ceiling lets: what follows on it is not asked about.
    again = opened(scene, scene.store, first, scene.estate.target)
    assert scene.enter(again, denying).state == "Completed"


@apart
def test_the_window_passes(scene: Scene) -> None:
    scene.guard(group_ceiling=1)
    one, two = sides(scene, 2, scene.store)
    assert intended(scene, scene.store, one, weighed(scene, one, "access", IN_SHOP)) == ""
    assert intended(scene, scene.store, two, weighed(scene, two, "access", IN_SHOP)) != ""
    scene.world.tick(timedelta(hours=1, seconds=1).total_seconds())
    assert intended(scene, scene.store, two, weighed(scene, two, "access", IN_SHOP)) == ""


async def standby(case: Case) -> None:
    await case.act(EnterStandby(case.target))


async def leaving(case: Case) -> None:
    await case.act(LeaveTargetGroups(case.target))


@apart
def test_the_last_healthy_target_of_a_group_is_asked_about(scene: Scene) -> None:
    sibling = Instance(scene.estate.account, scene.estate.region, scene.estate.sibling)
    scene.aws("elbv2").deregister_targets(
        TargetGroupArn=scene.estate.target_group, Targets=[{"Id": sibling.instance_id}]
    )
    scene.world.calls.clear()
    incident, end = scene.play(leaving)
    assert end.state == "Waiting"
    assert scene.changed() == []
    assert any("is healthy" in why for why in scene.asked(incident).about["why"])
    scene.say(scene.asked(incident))
    assert scene.enter(incident, leaving).state == "Completed"
    assert scene.changed() == ["DeregisterTargets"]


@pytest.mark.parametrize("fault", [FailedCall("AccessDenied", 403), FailedCall()])
@apart
def test_where_health_cannot_be_read_it_is_asked(scene: Scene, fault: FailedCall) -> None:
    scene.world.inject(fault, "DescribeTargetHealth", times=9999)
    incident, end = scene.play(standby)
    assert (end.state, scene.changed()) == ("Waiting", [])
    assert any("could not be read" in why for why in scene.asked(incident).about["why"])
    scene.say(scene.asked(incident))
    assert scene.enter(incident, standby).state == "Completed"
    assert "EnterStandby" in scene.changed()


@apart
def test_one_of_two_healthy_targets_leaves_by_itself(scene: Scene) -> None:
    _, end = scene.play(leaving)
    assert end.state == "Completed"


@apart
def test_a_dry_run_knows_what_was_taken_from_others(scene: Scene) -> None:
    scene.guard(group_ceiling=1)
    (one,) = sides(scene, 1, scene.store)
    assert intended(scene, scene.store, one, weighed(scene, one, "access", IN_SHOP)) == ""
    with scratch(scene.parts) as (apart_, empty):
        elsewhere = scene.deployment.take(apart_).incident
        case = Case(apart_, empty, elsewhere, denying, elsewhere.play)
        planned = asyncio.run(rehearse(case))
    assert [p.decision.may for p in planned] == ["yes", "ask"]
