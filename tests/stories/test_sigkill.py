"""Real SIGKILLs over real HTTP: each trial has its own forked world, and a worker that dies."""

import asyncio
import json
import os
import random
import shutil
import signal
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.case.play import body_of
from playbooks.compromised_instance import compromised_instance
from playbooks.drills.range.server import serve
from playbooks.wiring.parts import Parts
from tests.deployment import Deployment, deployed, go
from tests.sample import of_the_day
from tests.stories.effect import effect

# A trial takes seven seconds of a core.
SEEDS = of_the_day(range(24), many=4)


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Run work(write end of a pipe) in a child; return its pid and the read end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            work(writing)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    return child, reading


def serving(deployment: Deployment, kill_at: int, victim: Path) -> Callable[[int], None]:
    """Serve the world in a child; at the given call, kill the pid that stands in the file."""

    def work(writing: int) -> None:
        world, handled = deployment.world, deployment.world.handle
        seen = 0

        def handle(environ: dict[str, Any]) -> Any:
            nonlocal seen
            answer = handled(environ)
            seen += 1
            if seen == kill_at and victim.exists():
                os.kill(int(victim.read_text()), signal.SIGKILL)
            return answer

        world.handle = handle  # type: ignore[method-assign]
        with serve(world) as endpoint:
            os.write(writing, endpoint.encode())
            os.close(writing)
            while True:
                time.sleep(60)

    return work


def over_http(deployment: Deployment, endpoint: str, home: Path) -> Parts:
    """Return parts whose clients reach the endpoint, as a process of its own would have them."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / 20)

    parts = deployment.parts(home)
    maker = deployment.over_http(endpoint)
    return replace(parts, maker=maker, sleep=sleep, pool=ThreadPoolExecutor(4))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Any, Path]:
    folder = tmp_path_factory.mktemp("sigkill")
    deployment = deployed(folder)
    parts = deployment.parts()
    incident = deployment.take(parts).incident
    parts.engine.dispose()
    return deployment, incident, folder


def trial(scene: tuple[Deployment, Any, Path], name: str, kill_at: int, after: float) -> Any:
    """Run the play, kill it, enter again; return what is left and whether it was killed."""
    deployment, incident, folder = scene
    home, victim = folder / name, folder / f"{name}.pid"
    shutil.copytree(deployment.home, home)
    body = body_of(compromised_instance)
    server, reading = forked(serving(deployment, kill_at, victim))
    endpoint = os.read(reading, 200).decode()
    os.close(reading)

    def enter(writing: int) -> None:
        victim.write_text(str(os.getpid()))
        asyncio.run(go(over_http(deployment, endpoint, home), incident, body))

    try:
        first, pipe = forked(enter)
        os.close(pipe)
        if after:
            time.sleep(after)
            os.kill(first, signal.SIGKILL)
        _, status = os.waitpid(first, 0)
        victim.unlink(missing_ok=True)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL

        def look(writing: int) -> None:
            parts = over_http(deployment, endpoint, home)
            asyncio.run(go(parts, incident, body))
            deployment.maker = parts.maker  # type: ignore[method-assign]
            left = effect(deployment, parts, incident.id)
            os.write(writing, json.dumps(left, default=str).encode())

        second, pipe = forked(look)
        with os.fdopen(pipe, "rb") as answer:
            left = json.loads(answer.read() or b"null")
        os.waitpid(second, 0)
        return left, killed
    finally:
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)


def test_killed_anywhere_and_entered_again_there_is_one_effect(
    scene: tuple[Deployment, Any, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted, killed = trial(scene, "reference", 0, 0.0)
    assert not killed
    assert wanted["world"]["open to all"] == []
    kills = 0
    for seed in SEEDS:
        rng = random.Random(f"2026/{seed}")
        kill_at = rng.randint(35, 130) if seed % 3 else 0
        after = 0.0 if kill_at else rng.uniform(0.2, 2.5)
        left, killed = trial(scene, f"trial-{seed}", kill_at, after)
        kills += killed
        assert left is not None, f"seed {seed}: the second entry failed"
        assert left["world"] == wanted["world"], f"seed {seed}, call {kill_at}, after {after}"
        assert left["journal"]["steps"] == wanted["journal"]["steps"], f"seed {seed}"
        for kind, step, count in left["journal"]["ledger"]:
            if kind in ("action.intent", "action.done"):
                assert count == 1, (seed, kind, step)
    with capsys.disabled():
        print(f"\nSIGKILL over HTTP: {kills} of {len(SEEDS)} trials died, all entered again well")
    assert kills >= len(SEEDS) // 2
