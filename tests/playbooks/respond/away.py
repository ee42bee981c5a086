"""A database that fails for real at a chosen commit, and at each one after it."""

import asyncio
from dataclasses import replace
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from playbooks.case import spooling
from playbooks.case.enter import Body, Ending, enter
from playbooks.case.play import reflex_of
from playbooks.case.store import Store
from playbooks.compromised_instance import compromised_instance
from playbooks.desk.cli.init import make
from playbooks.intake.accepted import Accepted, Arrival, Came
from playbooks.intake.alert import Alert
from playbooks.intake.read import read_alert
from playbooks.respond.emergency import Emergency
from tests.playbooks.scene import Scene

REFLEX = reflex_of(compromised_instance)
# What SQLite is told once it is to fail; it then refuses by itself.
BROKEN = {
    "read-only": "PRAGMA query_only = ON",  # as SQLITE_READONLY: every write is refused
    "full": "PRAGMA max_page_count = 1",  # as SQLITE_FULL: whatever needs another page is
}


class Failing:
    """Breaks every write transaction from the nth on (from 1); `mend` ends that."""

    def __init__(self, engine: Any, how: str, nth: int) -> None:
        self.engine, self.how, self.left, self.failed = engine, how, nth, 0
        event.listen(engine, "begin", self._begin)

    def _begin(self, conn: Any) -> None:
        if conn.get_execution_options().get("read_only"):
            return
        self.left -= 1
        if self.left <= 0:
            self.failed += 1
            conn.exec_driver_sql(BROKEN[self.how])

    def mend(self) -> None:
        event.remove(self.engine, "begin", self._begin)
        self.engine.dispose()


def own(scene: Scene, name: str) -> Scene:
    """Return a scene with a home of its own, for a fork."""
    folder = scene.folder / name
    settings = scene.deployment.settings.model_copy(update={"home": folder / "home"})
    make(settings)
    deployment = replace(scene.deployment, home=settings.home, settings=settings)
    parts = deployment.parts()
    return Scene(deployment, folder, parts, Store(parts.engine))


def emergency(scene: Scene, **more: Any) -> Emergency:
    held = spooling.ready(scene.parts.settings, scene.parts.random)
    return Emergency(scene.parts, scene.store, held, **more)


def alert(scene: Scene, **changes: Any) -> Alert:
    return read_alert(scene.deployment.finding(**changes), received=scene.parts.now())


async def answered(scene: Scene, found: Emergency, told: Alert) -> list[Ending]:
    """Take the alert in and run the reflex, as a responder does, in an emergency or not."""
    (taken,) = found.accepting([Arrival(told, Came("by hand"))])
    assert isinstance(taken, Accepted), taken
    ends = [await found.contain(run, REFLEX) for run in found.waiting()]
    if not ends and taken.new:
        try:
            db = found.following(taken.incident)
            name = compromised_instance.name
            ends = [await enter(scene.parts, db, taken.incident, REFLEX, name, kind="reflex")]
        except SQLAlchemyError as error:
            ends = [await found.contain(found.began(taken.incident, error), REFLEX)]
    return ends


def answer(scene: Scene, found: Emergency, told: Alert) -> list[Ending]:
    return asyncio.run(answered(scene, found, told))


def enter_again(scene: Scene, incident: Any, body: Body) -> Ending:
    return scene.enter(incident, body, alive=lambda holder: False)
