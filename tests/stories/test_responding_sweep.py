"""A crash anywhere in taking over, reconciling, the reflex and the play: then all of it again."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from playbooks.case import store
from playbooks.case.enter import enter
from playbooks.case.play import body_of, reflex_of
from playbooks.case.store import LEASE, Store
from playbooks.compromised_instance import compromised_instance
from playbooks.respond import reconciler
from playbooks.wiring.parts import Parts
from tests.deployment import deployed
from tests.stories.crash import Crash
from tests.stories.effect import effect
from tests.stories.test_crash_sweep import nobody, sampled

REFLEX, BODY = reflex_of(compromised_instance), body_of(compromised_instance)


def dead() -> str:
    """Return the holder's name of a process of this host that has ended."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return f"{socket.gethostname()}:{pid}:1:1"


async def responded(parts: Parts, db: Store, incident: str) -> None:
    """Do what a responder does from its start on: reconcile, finish, reflex, play."""
    reconciler.reconcile(parts, db)
    await reconciler.boot(parts, db)
    for kind, body in (("reflex", REFLEX), ("play", BODY)):
        assert body is not None
        name = compromised_instance.name
        await enter(parts, db, incident, body, name, kind=kind, due=True, alive=nobody)  # type: ignore[arg-type]


def test_a_crash_at_any_point_of_responding_leaves_one_effect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment = deployed(tmp_path)
    parts = deployment.parts()
    incident = deployment.take(parts).incident.id
    # Whoever took it first has died; its work counts as settled, so only its lease tells of it.
    db = Store(parts.engine)
    now = parts.now()
    db.commit(lambda conn: store.take(conn, incident, dead(), nobody, now))
    db.commit(
        lambda conn: store.work_done(conn, incident, store.last_work(conn, incident, now), now)
    )

    async def again(fresh: Parts) -> None:
        # Its holder is the parent of this process, and lives: so its lease must have run out.
        deployment.world.tick(LEASE.total_seconds() + 1)
        await responded(fresh, Store(fresh.engine), incident)

    crash = Crash(
        deployment,
        tmp_path,
        again,
        lambda fresh: effect(deployment, fresh, incident),
        chosen=lambda n: sampled(n, 10),
    )
    watched = crash.watch(parts)
    crash.armed = True
    asyncio.run(responded(parts, watched, incident))
    crash.armed = False
    wanted = effect(deployment, parts, incident)
    with capsys.disabled():
        print(f"\n{crash.says('responding')}")
    assert crash.found
    for where, found in crash.found.items():
        assert "error" not in found, f"{where}: {found['error']}"
        left = found["left"]
        assert left["world"] == wanted["world"], where
        assert left["journal"]["steps"] == wanted["journal"]["steps"], where
        for kind, step, count in left["journal"]["ledger"]:
            if kind in ("action.intent", "action.done"):
                assert count == 1, (where, kind, step)
