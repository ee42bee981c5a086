"""A crash at any point of a rollback or a release, then again: the host is as it was found."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evidence import ledger
from playbooks.case import answering, holding, store, way_back
from playbooks.case.answers import Waiting
from playbooks.case.enter import enter
from playbooks.case.play import body_of
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.case.way_back import Verb
from playbooks.compromised_instance import compromised_instance
from playbooks.drills import host
from playbooks.wiring import people
from playbooks.wiring.parts import Parts
from tests.deployment import case, deployed, go, person
from tests.stories.crash import Crash
from tests.stories.test_crash_sweep import nobody, sampled

BODY = body_of(compromised_instance)
# Longer than any session lasts, so that the denial of old ones is lifted.
LATER = 13 * 3600.0


@pytest.mark.parametrize(("verb", "one_in"), [("rollback", 8), ("release", 7)])
def test_a_crash_at_any_point_of_a_way_back_gives_the_host_back(
    verb: Verb, one_in: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes on where it stood, whoever starts it again; no step is done or undone twice."""
    bob, public = person(tmp_path, "bob")
    deployment = deployed(tmp_path, people={"bob": public})
    world = deployment.world
    parts = deployment.parts()
    incident = deployment.take(parts).incident

    def seen() -> Any:
        clients = deployment.maker("", world.region)
        return host.describe(clients, deployment.estate) | policies(clients, deployment.estate)

    before = seen()
    asyncio.run(go(parts, incident, BODY))
    assert seen() != before

    async def back(fresh: Parts, db: Store | None = None) -> None:
        found = case(fresh, incident, BODY)
        found.store = db or found.store
        alive = holding.alive if db else nobody
        if undos := await way_back.planned(found, verb):
            await way_back.go_back(found, undos, "alice", None, verb, alive)

    async def whole(fresh: Parts, db: Store | None = None) -> None:
        """What a person begins, and what whoever enters the incident later ends."""
        await back(fresh, db)
        world.tick(LATER)
        alive = holding.alive if db else nobody
        await enter(fresh, db or Store(fresh.engine), incident.id, BODY, incident.play, alive=alive)

    with pytest.raises(Waiting) as asked:
        asyncio.run(back(parts))
    approve(parts, asked.value.question, bob)

    def examine(fresh: Parts) -> Any:
        return {"world": seen()} | recorded(fresh, incident.id)

    crash = Crash(deployment, tmp_path, whole, examine, chosen=lambda n: sampled(n, one_in))
    watched = crash.watch(parts)
    crash.armed = True
    asyncio.run(whole(parts, watched))
    crash.armed = False
    with capsys.disabled():
        print(f"\n{crash.says(verb)}")
    wanted = json.loads(json.dumps(examine(parts), default=str))
    assert wanted["world"] == json.loads(json.dumps(before, default=str))
    assert wanted["status"] == way_back.ENDED[verb]
    assert len(crash.found) >= 5
    for where, found in crash.found.items():
        assert found.get("left") == wanted, where


def policies(clients: Any, estate: Any) -> dict[str, Any]:
    """Return the role's inline policies by name."""
    iam = clients("iam")
    names = iam.list_role_policies(RoleName=estate.role)["PolicyNames"]
    return {
        f"policy {n}": iam.get_role_policy(RoleName=estate.role, PolicyName=n)["PolicyDocument"]
        for n in names
    }


def recorded(parts: Parts, incident: str) -> dict[str, Any]:
    """Return the phases of all steps, and how often each was begun and undone."""
    db = Store(parts.engine)
    steps = [i for i, _ in db.read(lambda conn: store.steps(conn, incident))]
    entries = db.read(lambda conn: list(ledger.entries(conn, incident)))
    db.read(ledger.replay)
    kinds = ("action.intent", "action.undone")
    counted = Counter((e.leaf.kind, e.body["step"]) for e in entries if e.leaf.kind in kinds)
    return {
        "phases": {i.step: i.phase for i in steps},
        "counts": sorted([*kind, n] for kind, n in counted.items()),
        "status": db.read(lambda conn: store.incident(conn, incident)).status,
    }


def approve(parts: Parts, question_id: str, key: Path) -> None:
    """Answer yes as the person whose key this is."""
    db = Store(parts.engine)
    name, secret = people.who(parts.settings, key)
    question = next(q for q in db.read(store.questions) if q.id == question_id)
    token = answering.sign(question, True, "false positive", name, secret, parts.now())
    record = Record(name, parts.now, parts.random)
    answering.answer(db, record, question_id, token, people.known(parts.settings))
