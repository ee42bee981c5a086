"""Stanch knows the role and host that it runs as, and never acts on them."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.case.enter import enter
from playbooks.case.play import body_of
from playbooks.case.store import Store
from playbooks.compromised_instance import compromised_instance
from playbooks.drills.range.server import serve
from playbooks.wiring.parts import now
from playbooks.wiring.sessions import Sessions
from playbooks.wiring.settings import Account
from tests.deployment import deployed


def test_a_host_that_runs_stanch_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = deployed(tmp_path)
    world, estate = deployment.world, deployment.estate
    with serve(world) as endpoint:
        keys: Any = world.instance_credentials(estate.target)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", keys.token)
        accounts = {estate.account: Account(regions=(estate.region,))}
        update = {"aws_endpoint": endpoint, "accounts": accounts}
        sessions = Sessions(deployment.settings.model_copy(update=update), now)
        assert sessions.own() == frozenset()
        sessions.maker(estate.account, estate.region)
    assert {estate.target, f"{estate.account}:role/{estate.role}"} <= sessions.own()


def test_an_incident_on_stanchs_own_host_is_refused(tmp_path: Path) -> None:
    deployment = deployed(tmp_path)
    own = frozenset({deployment.estate.target})
    parts = replace(deployment.parts(), own=lambda: own)
    incident = deployment.take(parts).incident
    calls = len(deployment.world.calls)
    body = body_of(compromised_instance)
    ending = asyncio.run(enter(parts, Store(parts.engine), incident.id, body, incident.play))
    assert ending.status == "refused"
    assert "Stanch's own" in ending.says
    assert not [c for c in deployment.world.calls[calls:] if c.mutating]
