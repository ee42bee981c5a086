"""Crashes a play at every point where disk or world changed, and lets a child enter it again.

A crash point is the pair (disk, world). At each new pair this process forks: the child keeps the
world's memory, copies the home folder with the database's write-ahead log, opens connections of
its own, enters again, and says what it found. Nothing is simulated by raising: a fork runs no
`finally` of the crashed entry, exactly as kill -9 runs none.
"""

import asyncio
import hashlib
import json
import os
import shutil
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playbooks.case.store import Store
from playbooks.wiring.parts import Parts
from tests.deployment import Deployment

Enter = Callable[[Parts], Awaitable[Any]]
Examine = Callable[[Parts], Any]


@dataclass
class Crash:
    """One sweep. `again` enters in the child, `examine` returns JSON of what is left."""

    deployment: Deployment
    folder: Path
    again: Enter
    examine: Examine
    chosen: Callable[[int], bool] = lambda state: True
    points: int = 0
    states: int = 0
    last: tuple[str, str] = ("", "")
    found: dict[str, Any] = field(default_factory=dict)
    armed: bool = False

    def watch(self, parts: Parts) -> Store:
        """Return a store that makes a point of each commit; calls are points by themselves."""
        crash = self

        class Watched(Store):
            def commit(self, work: Any) -> Any:
                result = super().commit(work)
                crash.point("commit")
                return result

        session_of = self.deployment.world.client

        def client(service: str, keys: Any, region: str = "") -> Any:
            made = session_of(service, keys, region)
            made.meta.events.register("after-call", lambda model, **_: crash.point(model.name))
            return made

        self.deployment.clients.clear()
        self.deployment.world.client = client  # type: ignore[method-assign]
        return Watched(parts.engine)

    def point(self, label: str) -> None:
        """Fork here if the pair changed since the last point."""
        if not self.armed:
            return
        self.points += 1
        pair = (self._disk(), self.deployment.world.digest())
        if pair == self.last:
            return
        self.last, self.states = pair, self.states + 1
        if self.chosen(self.states):
            self.found[f"{self.states} after {label}"] = self._fork()

    def _disk(self) -> str:
        home, digest = self.deployment.home, hashlib.sha256()
        for name in ("stanch.db", "stanch.db-wal"):
            if (home / name).exists():
                digest.update((home / name).read_bytes())
        digest.update(repr(sorted(p.name for p in (home / "evidence").rglob("*"))).encode())
        return digest.hexdigest()

    def _fork(self) -> Any:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._child(writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        return json.loads(answer) if answer else {"error": "the child died"}

    def _child(self, writing: int) -> None:
        try:
            self.armed = False
            copy = self.folder / f"crash-{os.getpid()}"
            shutil.copytree(self.deployment.home, copy)
            # The parent's loop stands still below us; this process starts one of its own.
            asyncio._set_running_loop(None)
            parts = self.deployment.parts(copy)
            asyncio.run(self.again(parts))  # type: ignore[arg-type]
            answer = {"left": self.examine(parts)}
            parts.engine.dispose()
            shutil.rmtree(copy)
        except BaseException:
            answer = {"error": traceback.format_exc()}
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(answer, default=str).encode())
        os._exit(0)

    def says(self, what: str) -> str:
        """Return the counts in one line."""
        well = sum("left" in f for f in self.found.values())
        return (
            f"{what}: {self.points} points, {self.states} states, {well} of {len(self.found)} "
            "entered again"
        )


def sweep(crash: Crash, first: Callable[[], Coroutine[Any, Any, Any]], parts: Parts) -> Any:
    """Run the first entry with a crash at each point; return what an entry without one leaves.

    Each that was entered again must have left the same, every step recorded once.
    """
    crash.armed = True
    asyncio.run(first())
    crash.armed = False
    wanted = crash.examine(parts)
    assert crash.found
    for where, found in crash.found.items():
        assert "error" not in found, f"{where}: {found['error']}"
        left = found["left"]
        assert left["world"] == wanted["world"], where
        assert left["journal"]["steps"] == wanted["journal"]["steps"], where
        assert left["journal"]["unindexed"] == 0, where
        for kind, step, count in left["journal"]["ledger"]:
            if kind in ("action.intent", "action.done"):
                assert count == 1, (where, kind, step)
    return wanted
