"""One whole story on PostgreSQL: contained, proven offline and given back, exactly as on SQLite."""

import asyncio
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence import bundle, ledger
from evidence.verify import verify_bundle
from playbooks.case import store, way_back
from playbooks.case.answers import Waiting
from playbooks.case.play import body_of
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.compromised_instance import compromised_instance
from playbooks.drills import host
from playbooks.wiring.parts import Parts
from tests.deployment import Deployment, case, deployed, go, person
from tests.stories.effect import effect
from tests.stories.test_way_back_sweep import approve


def told(folder: Path, **settings: Any) -> dict[str, Any]:
    """Contain a host, export, give it back; return what was left in world and journal."""
    bob, public = person(folder, "bob")
    deployment = deployed(folder, people={"bob": public}, **settings)
    # The same salts give both the same pseudonym, which stands in marks and names.
    parts = replace(deployment.parts(), random=random.Random(7).randbytes)
    try:
        return lived(deployment, parts, bob)
    finally:
        parts.engine.dispose()


def lived(deployment: Deployment, parts: Parts, bob: Path) -> dict[str, Any]:
    db = Store(parts.engine)
    clients = deployment.maker("", deployment.world.region)
    before = host.describe(clients, deployment.estate)
    incident = deployment.take(parts).incident
    repeated = deployment.take(parts)
    assert (repeated.new, repeated.incident.id) == (False, incident.id)
    body = body_of(compromised_instance)
    asyncio.run(go(parts, incident, body))
    # Entered again, it does nothing twice.
    asyncio.run(go(parts, incident, body))
    left = {"contained": effect(deployment, parts, incident.id)}

    def export(conn: Any) -> Any:
        return bundle.export(
            conn, parts.locker, incident.id, parts.keys.manifest, deployment.home / "bundle"
        )

    made = db.read(export)
    verdict = verify_bundle(made.path, parts.keys.trust())
    left["proven"] = [verdict.exit_code, verdict.problems]

    async def undo() -> Any:
        found = case(parts, incident, body)
        return await way_back.go_back(found, await way_back.planned(found, "rollback"), "alice")

    with pytest.raises(Waiting) as asked:
        asyncio.run(undo())
    approve(parts, asked.value.question, bob)
    ends = asyncio.run(undo())
    left["undone"] = sorted((end.step, end.why) for end in ends)
    assert host.describe(clients, deployment.estate) == before
    checkpoint(db, parts)
    left["after"] = effect(deployment, parts, incident.id)
    left["status"] = db.read(lambda conn: store.incident(conn, incident.id)).status
    left["kinds"] = [e.leaf.kind for e in db.read(lambda c: list(ledger.entries(c, incident.id)))]
    return left


def test_a_host_is_contained_and_given_back_on_either_database(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORY_DATABASE", postgres_url)
    folders = [tmp_path / "file", tmp_path / "server"]
    for folder in folders:
        folder.mkdir()
    on_file = told(folders[0])
    on_server = told(folders[1], database="env:STORY_DATABASE")
    assert on_server == on_file
    assert not (folders[1] / "home" / "stanch.db").exists()
