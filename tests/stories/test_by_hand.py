"""A play started from Prefect: deployed from prefect.yaml, run by a worker, guarded alike."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from playbooks.case import freezing, holding, store
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.drills.range.estate import build_estate
from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World
from playbooks.drills.scenario import deploy
from playbooks.intake.read import read_alert
from playbooks.respond.take import take
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.prefect_server import running
from playbooks.wiring.settings import load

ROOT = Path(__file__).resolve().parents[2]
INCIDENT = "INC-0001"


@dataclass
class Stage:
    """A world, a Stanch in it, Prefect's server with the catalogue, and a worker."""

    world: World
    parts: Parts
    db: Store
    url: str

    def run(self) -> tuple[str, dict[str, Any]]:
        """Start the deployment by hand as a person does; return its final state and parameters."""
        arguments = ("compromised-instance/by-hand", "-p", f"incident_id={INCIDENT}")
        run = self.ended(*arguments)
        return run["state_name"], run["parameters"]

    def ended(self, deployment: str, *more: str) -> dict[str, Any]:
        """Start a deployment by hand, and return its run once that has ended."""
        before = {run["id"] for run in self.runs()}
        prefect("deployment", "run", deployment, *more)
        # A schedule makes runs too, ahead of their time.
        [run] = [r for r in self.runs() if r["id"] not in before and not r["auto_scheduled"]]
        end = time.monotonic() + 120
        while run["state_type"] not in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            assert time.monotonic() < end, f"the run is still {run['state_name']}"
            time.sleep(0.2)
            [run] = [one for one in self.runs() if one["id"] == run["id"]]
        return run

    def runs(self) -> list[dict[str, Any]]:
        answer = requests.post(f"{self.url}/flow_runs/filter", json={}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def mutations(self) -> list[str]:
        return [
            call.operation
            for call in self.world.calls
            if call.mutating and call.principal and "incident-responder" in call.principal.arn
        ]


def prefect(*arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@contextmanager
def working(folder: Path) -> Iterator[None]:
    """A process worker, as docs/operations/prefect.md starts one."""
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "stanch"],
            cwd=ROOT,
            env=os.environ | {"PREFECT_WORKER_QUERY_SECONDS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        worker.terminate()
        try:
            # Prefect's worker takes longer than that to end, and has nothing left to do.
            worker.wait(timeout=1)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("by-hand")
    kept = dict(os.environ)
    world = World()
    estate = build_estate(world)
    with serve(world) as endpoint:
        deployment = deploy(folder, world, estate, endpoint)
        os.environ.update(deployment.environment)
        try:
            with running(deployment.settings.home, 90.0) as url:
                assert url is not None, "Prefect's server did not get up"
                prefect("work-pool", "create", "stanch", "--type", "process")
                prefect("deploy", "--all")
                parts = assemble(load())
                db = Store(parts.engine)
                take(parts, db, read_alert(deployment.finding.read_bytes(), received=parts.now()))
                with working(folder):
                    yield Stage(world, parts, db, url)
                parts.engine.dispose()
        finally:
            os.environ.clear()
            os.environ.update(kept)


def test_every_play_is_deployed(stage: Stage) -> None:
    listed = requests.post(f"{stage.url}/deployments/filter", json={}, timeout=30).json()
    wanted = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert {one["entrypoint"] for one in listed} == {one["entrypoint"] for one in wanted}
    # What somebody types there is checked, and nothing is filled in for them.
    assert all(one["enforce_parameter_schema"] for one in listed)
    assert all(one["parameters"] == {} for one in listed)
    scheduled = {one["name"] for one in listed if any(s["active"] for s in one["schedules"])}
    assert scheduled == {"on-schedule"}


def test_a_frozen_deployment_changes_nothing(stage: Stage) -> None:
    record = Record("alice", stage.parts.now, stage.parts.random)
    freezing.freeze(stage.db, record, store.EVERYWHERE, "a deploy goes wrong")
    try:
        state, _ = stage.run()
    finally:
        freezing.unfreeze(stage.db, record, store.EVERYWHERE, "it went well")
    assert state == "Frozen"
    assert stage.mutations() == []


def test_what_somebody_else_works_on_is_left_to_them(stage: Stage) -> None:
    with holding.held(stage.db, INCIDENT, holding.alive, lambda: datetime.now(UTC)):
        state, _ = stage.run()
    assert state == "Already running"
    assert stage.mutations() == []


def test_a_run_by_hand_contains_once(stage: Stage) -> None:
    state, parameters = stage.run()
    assert state == "Waiting"
    # Prefect knows which incident, and nothing else.
    assert parameters == {"incident_id": INCIDENT}
    done = stage.mutations()
    assert done.count("PutRolePolicy") == 1
    assert done.count("CreateSnapshots") == 1
    incident = stage.db.read(lambda conn: store.incident(conn, INCIDENT))
    assert incident.status == "contained, live flows possible"
    assert stage.run()[0] == "Waiting"
    assert stage.mutations() == done


def test_a_schedule_enters_what_is_due_and_only_that(stage: Stage) -> None:
    done = stage.mutations()
    nothing = stage.ended("follow-ups/on-schedule")
    assert (nothing["state_name"], nothing["state"]["message"]) == ("Completed", "nothing was due")
    now = stage.parts.now()
    stage.db.commit(lambda conn: store.add_work(conn, INCIDENT, "by hand", now))
    entered = stage.ended("follow-ups/on-schedule")
    assert entered["state"]["message"] == f"{INCIDENT}: Waiting"
    assert stage.db.read(lambda conn: store.last_work(conn, INCIDENT, stage.parts.now())) == 0
    assert stage.mutations() == done


def test_an_incident_that_there_is_not_fails(stage: Stage) -> None:
    before = stage.mutations()
    ran = subprocess.run(
        [sys.executable, "-m", "prefect", "deployment", "run", "compromised-instance/by-hand"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # The parameter is required: Prefect itself refuses.
    assert ran.returncode != 0
    assert "incident_id" in ran.stdout + ran.stderr
    assert stage.mutations() == before
    assert json.dumps(stage.runs()).count("AKIA") == 0
