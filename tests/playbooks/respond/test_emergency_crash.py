"""Whoever contains without a database, or brings it all in afterwards, may die at any point."""

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from playbooks.case import store
from playbooks.case.spool import Spool
from playbooks.case.store import Store
from tests.actions.scene import in_child, mutates
from tests.playbooks.respond.away import (
    REFLEX,
    Failing,
    alert,
    answer,
    emergency,
    enter_again,
    own,
    well,
)
from tests.playbooks.scene import Scene, apart
from tests.sample import DAY, FULL

# Else all states: each day others.
ONE_IN = 1 if FULL else 6


class Points:
    """Forks after each spooled record, each change of the world and each commit, while armed."""

    def __init__(self, scene: Scene, again: Callable[[Scene], str]) -> None:
        self.scene, self.again, self.armed = scene, again, False
        self.count, self.said = 0, {}
        for client in scene.deployment.clients.values():
            client.meta.events.register("after-call", self._called)

    def _called(self, model: Any, **_: Any) -> None:
        if mutates(model.name):
            self.point(model.name)

    def point(self, after: str) -> None:
        if not self.armed:
            return
        self.count += 1
        if (self.count + DAY) % ONE_IN == 0:
            self.said[f"{self.count} after {after}"] = in_child(self._child)

    def _child(self) -> str:
        self.armed = False
        asyncio._set_running_loop(None)
        return self.again(copied(self.scene, self.scene.folder / f"crash-{os.getpid()}"))

    def spool(self, found: Any) -> None:
        """Make each record of this emergency a point."""
        points, real = self, found.spool.append

        class Watched(Spool):
            def append(self, body: Any, **more: Any) -> Any:
                result = real(body, **more)
                points.point(f"spooling {body['what']}")
                return result

        found.spool = Watched(found.spool.path)

    def store(self, db: Store) -> Store:
        """Return the store with each commit a point."""
        points = self

        class Watched(Store):
            def commit(self, work: Any) -> Any:
                result = super().commit(work)
                points.point("a commit")
                return result

        return Watched(db.engine)


def copied(scene: Scene, folder: Path) -> Scene:
    """Return the scene over a copy of its files, as a process that starts anew finds them."""
    was = scene.deployment.settings
    settings = was.model_copy(update={"home": folder / "home"})
    shutil.copytree(was.home, settings.home)
    shutil.copytree(was.spool_path.parent, settings.spool_path.parent)
    deployment = replace(scene.deployment, home=settings.home, settings=settings)
    parts = deployment.parts()
    return Scene(deployment, folder, parts, Store(parts.engine))


def recovers(scene: Scene) -> str:
    """Start with a database that is back: bring all in, enter again; return what is wrong then."""
    found = emergency(scene)
    found.bring_in()
    if not found.spool.empty():
        return "more waits"
    for incident in scene.store.read(store.incidents):
        enter_again(scene, incident, REFLEX)
    if not scene.store.read(store.incidents):
        # It died before the alert was durable, and so before it was acknowledged: it comes again.
        answer(scene, found, alert(scene))
    return well(scene)


@apart
def test_a_crash_anywhere_on_the_way_without_a_database(scene: Scene) -> None:
    for nth in (1, 3, 6):
        said = in_child(lambda nth=nth: _without(own(scene, str(nth)), nth))
        assert said.startswith("well"), said
        print(said)


def _without(scene: Scene, nth: int) -> str:
    points = Points(scene, recovers)
    found = emergency(scene)
    found.refresh()
    points.spool(found)
    Failing(scene.parts.engine, "read-only", nth)
    points.armed = True
    answer(scene, found, alert(scene))
    points.armed = False
    return _summary(points)


@apart
def test_a_crash_anywhere_while_it_is_brought_in(scene: Scene) -> None:
    found = emergency(scene)
    failing = Failing(scene.parts.engine, "full", 1)
    answer(scene, found, alert(scene))
    failing.mend()
    points = Points(scene, recovers)
    again = emergency(scene)
    again._db = points.store(scene.store)
    points.armed = True
    again.bring_in()
    points.armed = False
    said = _summary(points)
    assert said.startswith("well"), said
    print(said)


def _summary(points: Points) -> str:
    wrong = {where: text for where, text in points.said.items() if text}
    if wrong:
        return str(wrong)
    return f"well: {points.count} points, {len(points.said)} of them recovered from"
