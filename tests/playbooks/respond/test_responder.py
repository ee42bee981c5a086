"""What a responder promises: each incident once at a time, reflexes first, nothing lost."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from playbooks.case import schema, store
from playbooks.case.enter import enter
from playbooks.case.incident import Incident
from playbooks.case.play import body_of
from playbooks.case.story import story
from playbooks.respond import plays, run, standby
from playbooks.respond.responder import Responder, pause
from tests.playbooks.scene import Scene, apart

# The mutating calls that each contained host takes exactly once.
ONCE = ("PutRolePolicy", "EnterStandby", "CreateSnapshots")


def responder(scene: Scene) -> Responder:
    emergency = standby.prepared(scene.parts, scene.store)
    return Responder(scene.parts, scene.store, None, emergency)


async def worked(*responders: Responder, looks: int = 30) -> None:
    """Let responders look again and again, until nothing is in hand and nothing is due."""
    for one in responders:
        one._calm.set()
    for _ in range(looks):
        for one in responders:
            await one.look()
            # A busy incident rests by the monotonic clock, and these tests have no second to spare.
            one._not_before.clear()
        while any(one._working for one in responders):
            await asyncio.sleep(0)
        if not due(responders[0]):
            return
    raise AssertionError(f"still due: {due(responders[0])}")


def due(one: Responder) -> list[Any]:
    return one._db.read(one._due)


def hosts(scene: Scene, count: int) -> list[str]:
    """Start hosts that no scaling group watches, with the estate's role."""
    made = scene.aws("ec2").run_instances(
        ImageId=scene.estate.image,
        MinCount=count,
        MaxCount=count,
        IamInstanceProfile={"Name": scene.estate.profile},
    )
    scene.world.calls.clear()
    return [i["InstanceId"] for i in made["Instances"]]


def told_of(scene: Scene, host: str, number: int) -> Incident:
    """Take a finding about the host in."""
    found = json.loads(scene.deployment.finding())
    found["detail"]["resource"]["instanceDetails"]["instanceId"] = host
    found["detail"]["id"] = f"{number:032x}"
    found["detail"]["arn"] = found["detail"]["arn"].rpartition("/")[0] + f"/{number:032x}"
    return scene.deployment.take(scene.parts, json.dumps(found).encode()).incident


@pytest.mark.parametrize("seed", range(3))
@apart
def test_an_incident_is_answered_once_whatever_the_order_of_looks(scene: Scene, seed: int) -> None:
    incident = scene.take()
    chance = random.Random(seed)
    both = [responder(scene), responder(scene)]

    async def run() -> None:
        for one in both:
            one._calm.set()
        for _ in range(20):
            await chance.choice(both).look()
            await asyncio.sleep(0)
            if chance.random() < 0.3:
                scene.take()
        await worked(*both)

    asyncio.run(run())
    made = Counter(scene.changed())
    assert {name: made[name] for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert Counter(scene.kinds(incident))["reflex.ended"] == 1
    assert {i.phase for i in scene.steps(incident).values()} == {"done"}


@apart
def test_all_reflexes_end_before_any_play_begins(scene: Scene) -> None:
    scene.guard(account_ceiling=100, service_ceiling=100)
    count = 4
    found = [told_of(scene, host, n + 1) for n, host in enumerate(hosts(scene, count))]
    asyncio.run(worked(responder(scene)))
    order = [e for i in found for e in scene.entries(i)]
    order.sort(key=lambda e: e.id)
    kinds = [e.leaf.kind for e in order if e.leaf.kind in ("reflex.ended", "notification")]
    assert kinds[:count] == ["reflex.ended"] * count
    assert Counter(scene.changed())["PutRolePolicy"] == count


@apart
def test_what_takes_from_the_attacker_goes_first(scene: Scene) -> None:
    scene.take()
    asyncio.run(worked(responder(scene)))
    assert scene.changed()[0] == "PutRolePolicy"


@apart
def test_a_host_that_no_group_watches_is_isolated_by_the_reflex(scene: Scene) -> None:
    (host,) = hosts(scene, 1)
    incident = told_of(scene, host, 1)
    made = plays.find("compromised_instance")
    asyncio.run(run.reflex(scene.parts, scene.store, incident.id, made, due=True))
    assert scene.steps(incident)["isolate_instance"].phase == "done"


@apart
def test_a_host_that_a_group_watches_is_never_isolated_alone(scene: Scene) -> None:
    incident = scene.take()
    made = plays.find("compromised_instance")
    asyncio.run(run.reflex(scene.parts, scene.store, incident.id, made, due=True))
    steps = scene.steps(incident)
    assert steps["enter_standby"].phase == "done"
    assert "isolate_instance" not in steps


@apart
def test_what_only_proposes_has_no_reflex(scene: Scene) -> None:
    incident = scene.take(severity=2)
    assert incident.hindrances
    asyncio.run(worked(responder(scene)))
    assert scene.changed() == []
    assert "reflex.ended" not in scene.kinds(incident)
    assert scene.now(incident).says.startswith("waiting")


@apart
def test_an_incident_without_a_play_is_settled(scene: Scene) -> None:
    incident = scene.take(type="Discovery:S3/MaliciousIPCaller")
    assert incident.play == ""
    asyncio.run(worked(responder(scene)))
    assert scene.changed() == []


@apart
def test_an_answer_is_worked_without_anybody_asking_for_it(scene: Scene) -> None:
    incident = scene.take()
    one = responder(scene)
    asyncio.run(worked(one))
    scene.say(scene.asked(incident))
    assert [w.why for w in due(one)] == ["answer"]
    asyncio.run(worked(one))
    assert scene.steps(incident)["terminate_instance"].phase == "done"
    scene.world.tick(scene.parts.settings.answer_hours * 3600 + 1)
    asked = [w.due for w in due(one)]
    assert asked == timers(scene, incident, "due/")


@apart
def test_a_question_that_nobody_answers_ends_the_play(scene: Scene) -> None:
    incident = scene.take(severity=2)
    one = responder(scene)
    asyncio.run(worked(one))
    assert due(one) == []
    scene.world.tick(scene.parts.settings.answer_hours * 3600 + 1)
    assert [w.why for w in due(one)] == [store.TIMER]
    asyncio.run(worked(one))
    assert scene.now(incident).status == "refused"
    assert "nobody answered" in scene.now(incident).says
    assert scene.changed() == []


@apart
def test_a_follow_up_is_due_at_its_time_and_once(scene: Scene) -> None:
    incident = scene.take()
    one = responder(scene)
    asyncio.run(worked(one))
    kept = [e["step"] for e in evidence(scene, incident)]
    # What CloudTrail has by then, and the files that logs are delivered in.
    due_at = sorted(timers(scene, incident, "due/"))
    assert len(due_at) == 2
    for at in due_at:
        scene.world.tick((at - scene.world.now()).total_seconds() - 1)
        assert due(one) == []
        scene.world.tick(2)
        assert [w.why for w in due(one)] == [store.TIMER]
        asyncio.run(worked(one))
        before, kept = kept, [e["step"] for e in evidence(scene, incident)]
        assert len(kept) > len(before)
    scene.world.tick(3600)
    asyncio.run(worked(one))
    assert [e["step"] for e in evidence(scene, incident)] == kept


def evidence(scene: Scene, incident: Incident) -> list[Any]:
    return list(scene.store.read(lambda c: story(c, incident.id))["evidence"])


def timers(scene: Scene, incident: Incident, kind: str) -> list[Any]:
    """Return when the follow-ups are that were noted."""
    rows = scene.store.read(lambda conn: store.all_kept(conn, incident.id))
    return [datetime.fromisoformat(v["at"]) for step, v in rows if step.startswith(kind)]


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=-400)])
@apart
def test_work_is_due_though_the_clock_was_set_back(scene: Scene, jump: timedelta) -> None:
    scene.take()
    now = scene.parts.now() + jump
    assert [w.why for w in scene.store.read(lambda c: store.due_work(c, now))] == ["alert"]


@apart
def test_a_timer_that_a_wrong_clock_fired_is_set_again(scene: Scene) -> None:
    incident = scene.take()
    asyncio.run(worked(responder(scene)))
    at = min(timers(scene, incident, "due/"))

    def look(conn: Connection) -> list[Any]:
        return [w for w in store.open_work(conn, incident.id) if w.due == at]

    assert len(scene.store.read(look)) == 1
    ahead = [at + timedelta(seconds=1)]

    def jumped() -> Any:
        # Ahead when the entry begins, set right when the play asks whether it is time.
        return ahead.pop() if ahead else scene.world.now()

    body = body_of(plays.find("compromised_instance"))
    assert scene.store.read(lambda c: store.last_work(c, incident.id, at))
    wrong = replace(scene.parts, now=jumped)
    ahead *= 2  # The lease is taken by the clock too.
    asyncio.run(enter(wrong, scene.store, incident.id, body, incident.play, due=True))
    assert len(scene.store.read(look)) == 1


@apart
def test_what_breaks_off_is_tried_again_ever_more_slowly(scene: Scene) -> None:
    incident = scene.take()
    table = schema.incidents
    lost = update(table).where(table.c.id == incident.id).values(play="of_another_version")
    scene.store.commit(lambda conn: conn.execute(lost))
    one = responder(scene)
    waited = []
    for tries in range(1, 8):
        asyncio.run(looked(one))
        (row,) = scene.store.read(lambda conn: store.open_work(conn, incident.id))
        assert (row.tries, row.error) == (tries, "SettingsError")
        waited.append(row.due - scene.world.now())
        assert due(one) == []
        scene.world.tick(waited[-1].total_seconds())
    assert waited == sorted(set(waited))
    assert pause(100) == store.LONGEST
    back = update(table).where(table.c.id == incident.id).values(play=incident.play)
    scene.store.commit(lambda conn: conn.execute(back))
    asyncio.run(worked(one))
    assert scene.now(incident).status.startswith("contained")


async def looked(one: Responder) -> None:
    """Look once, and let what that begins end."""
    one._calm.set()
    await one.look()
    while one._working:
        await asyncio.sleep(0)


@apart
def test_what_breaks_off_one_incident_holds_no_other_up(scene: Scene) -> None:
    first = scene.take()
    table = schema.incidents
    lost = update(table).where(table.c.id == first.id).values(play="of_another_version")
    scene.store.commit(lambda conn: conn.execute(lost))
    (host,) = hosts(scene, 1)
    other = told_of(scene, host, 7)
    one = responder(scene)
    for _ in range(3):
        asyncio.run(looked(one))
    assert scene.now(other).status.startswith("contained")
