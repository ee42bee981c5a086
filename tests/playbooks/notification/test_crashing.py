"""Killed in the middle of recording, nothing is left by halves; and no secret is kept."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evidence import ledger
from playbooks.case import migrating
from playbooks.case.store import Store
from playbooks.case.store import duties as stored
from playbooks.duties.reading import shipped
from playbooks.notification import recording
from playbooks.notification.looking import look
from playbooks.wiring.database import open_engine
from tests.playbooks.notification.telling import FACTS, MD, ago
from tests.playbooks.scene import Scene, apart

KILLED = 9


def killed(work: Callable[[], Any]) -> None:
    """Run the work in a process that it kills."""
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def die(*_: Any, **__: Any) -> None:
    os._exit(KILLED)


def at_home(scene: Scene) -> Any:
    return open_engine(scene.parts.settings)


@pytest.mark.parametrize("place", ["put_clocks", "_told", "workers"])
@apart
def test_killed_in_the_middle_nothing_is_left_by_halves(scene: Scene, place: str) -> None:
    check(scene, lambda: at_home(scene), place)


@pytest.mark.parametrize("place", ["put_clocks", "workers"])
@apart
def test_killed_in_the_middle_on_postgresql_too(
    scene: Scene, postgres_url: str, place: str
) -> None:
    engine = ledger.postgres_engine(postgres_url)
    migrating.create(engine)
    engine.dispose()
    check(scene, lambda: ledger.postgres_engine(postgres_url), place)


def check(scene: Scene, engine: Callable[[], Any], place: str) -> None:
    key = scene.person("alice")
    parts = replace(scene.parts, engine=engine())
    incident = scene.deployment.take(parts, scene.deployment.finding()).incident.id
    parts.engine.dispose()
    said = {"why": "because"}
    entries = [
        ("fact", said | {"facts": FACTS}),
        ("anchor", said | {"anchors": {"discovery": ago(scene, days=2)}}),
    ]

    def work(*, dies: bool) -> Store:
        mine = replace(scene.parts, engine=engine())
        db = Store(mine.engine)
        if dies:
            target: Any = stored if place == "put_clocks" else recording
            setattr(target, place, die)
        recording.record(mine, db, incident, "alice", key, entries)
        return db

    killed(lambda: work(dies=True))
    left = Store(engine())
    assert left.read(lambda conn: stored.duty_log(conn, incident)) == []
    assert left.read(lambda conn: stored.clocks(conn, incident)) == {}
    kinds = left.read(lambda conn: [e.leaf.kind for e in ledger.entries(conn, incident)])
    assert not [kind for kind in kinds if kind.startswith("duty.")]
    db = work(dies=False)
    found = db.read(lambda conn: look(conn, incident, shipped()))
    assert [row.kind for row in found.rows] == ["fact", "anchor"]
    assert found.clocks[MD].due is not None
    db.read(ledger.replay)
