"""Killed at any point while a file is taken in: nothing unsealed is shown, and nothing half."""

import itertools
import os
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from evidence.custody.record import view
from evidence.ingest import BLOCK
from evidence.sources.brought import brought
from playbooks.case import store
from playbooks.case.bringing import Bringing, bring
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.wiring import people
from tests.playbooks.scene import Scene, apart

DATA = bytes(range(256)) * (BLOCK // 256) + b"the end"


class Deadly:
    """Lets so many calls pass, then kills the process as a power cut would."""

    def __init__(self, passing: int) -> None:
        self.left = passing

    def __call__(self, inner: Any) -> Any:
        def call(*args: Any) -> Any:
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
            self.left -= 1
            return inner(*args)

        return call


def taken(scene: Scene, path: Path, incident: str, passing: int) -> None:
    """Take the file in; die at the first call of clock, chance or file that is not let pass."""
    deadly = Deadly(passing)
    parts = replace(scene.parts, now=deadly(scene.parts.now), random=deadly(scene.parts.random))
    locker = replace(parts.locker, randomness=deadly(parts.locker.randomness))
    key = scene.person("alice")
    about = Bringing(incident, "alice", "disk", "web-7", "5 Gs 12/26", True, key)
    known = people.known(scene.parts.settings)
    with brought(path, {}) as file:
        pread = deadly(file.source.read)
        file.source = SimpleNamespace(  # type: ignore[assignment]
            read=pread,
            stable=file.source.stable,
            all_gaps=file.source.all_gaps,
            descriptor=file.source.descriptor,
            size=file.source.size,
        )
        bring(replace(parts, locker=locker), Store(parts.engine), file, about, known)


@apart
def test_a_file_is_kept_whole_or_not_at_all_wherever_the_process_dies(scene: Scene) -> None:
    incident = scene.take()
    path = scene.folder / "disk.img"
    path.write_bytes(DATA)
    scene.person("alice")
    scene.parts.engine.dispose()
    deaths = 0
    for passing in itertools.count():
        child = os.fork()
        if not child:
            taken(scene, path, incident.id, passing)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        died = os.WIFSIGNALED(status)
        found = scene.store.read(lambda conn: view(conn, incident.id))
        shown = [
            step
            for step, _ in scene.store.read(lambda conn: store.all_kept(conn, incident.id))
            if step.startswith("keep/brought/")
        ]
        assert len(found.artifacts) == len(shown) == (0 if died else 1)
        assert found.problems == []
        if not died:
            break
        deaths += 1
    assert deaths > 8
    (artifact,) = found.artifacts.values()
    entries = [(e.leaf.kind, e.opening.actor) for e in scene.entries(incident)][-2:]
    assert entries == [("artifact.stored", "stanch"), ("custody.brought", "alice")]
    assert scene.parts.locker.read(artifact.stored_sha256)
    checkpoint(scene.store, scene.parts)
