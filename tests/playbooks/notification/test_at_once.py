"""Several people record at once: each word counts, and the clocks are those of all of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from evidence import ledger
from playbooks.case import migrating
from playbooks.case.store import Store
from playbooks.case.store import duties as stored
from playbooks.notification import recording
from playbooks.notification.projecting import project
from tests.playbooks.notification.telling import FACTS, IA, MD, few
from tests.playbooks.scene import Scene, apart

BOOK = few("us-md", "us-ia")


def together(scene: Scene, parts: Any) -> None:
    db = Store(parts.engine)
    key = scene.person("alice")
    parts = replace(parts, settings=scene.parts.settings)
    incident = scene.deployment.take(parts, scene.deployment.finding()).incident.id

    def say(name: str, value: str) -> None:
        entry = ("fact", {"why": "because", "facts": {name: value}})
        recording.record(parts, db, incident, "alice", key, [entry], BOOK)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda given: say(*given), FACTS.items()))
    rows = db.read(lambda conn: stored.duty_log(conn, incident))
    assert {n for row in rows for n in row.body["facts"]} == FACTS.keys()
    found = db.read(partial(recording.look, incident_id=incident, book=BOOK))
    assert {found.clocks[MD].state, found.clocks[IA].state} == {"open"}
    assert project(found.clocks, found.duties, found.done, parts.now()).rows == ()
    db.read(ledger.replay)


@apart
def test_on_sqlite(scene: Scene) -> None:
    together(scene, scene.parts)


@apart
def test_on_postgresql(scene: Scene, postgres_url: str) -> None:
    engine = ledger.postgres_engine(postgres_url)
    migrating.create(engine)
    together(scene, replace(scene.parts, engine=engine))
