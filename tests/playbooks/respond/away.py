"""A database that fails for real at a chosen commit, and at each one after it."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from actions.aws.deny_instance_sessions import OURS
from evidence import ledger
from playbooks.case import spooling, store
from playbooks.case.enter import Body, Ending, enter
from playbooks.case.play import reflex_of
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.compromised_instance import compromised_instance
from playbooks.desk.cli.init import make
from playbooks.intake.accepted import Accepted, Arrival, Came
from playbooks.intake.alert import Alert
from playbooks.intake.read import read_alert
from playbooks.respond.emergency import Emergency
from tests.playbooks.scene import Scene

STEPS = {"deny_instance_sessions", "protect_from_termination", "enter_standby"}
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
    ends = [await found.contain(run) for run in found.waiting()]
    if not ends and taken.new:
        try:
            db = found.following(taken.incident)
            name = compromised_instance.name
            ends = [await enter(scene.parts, db, taken.incident, REFLEX, name, kind="reflex")]
        except SQLAlchemyError as error:
            ends = [await found.contain(found.began(taken.incident, error))]
    return ends


def answer(scene: Scene, found: Emergency, told: Alert) -> list[Ending]:
    return asyncio.run(answered(scene, found, told))


def enter_again(scene: Scene, incident: Any, body: Body) -> Ending:
    return scene.enter(incident, body, alive=lambda holder: False)


def missing(scene: Scene) -> list[str]:
    """Return what of the reflex is not in effect, as AWS says."""
    found, estate = [], scene.estate
    names = scene.aws("iam").list_role_policies(RoleName=estate.role)["PolicyNames"]
    if not any(name.startswith(OURS) for name in names):
        found.append("sessions are not denied")
    kept = scene.aws("ec2").describe_instance_attribute(
        InstanceId=estate.target, Attribute="disableApiTermination"
    )
    if not kept["DisableApiTermination"]["Value"]:
        found.append("not protected")
    (group,) = scene.aws("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[estate.scaling_group]
    )["AutoScalingGroups"]
    states = {i["InstanceId"]: i["LifecycleState"] for i in group["Instances"]}
    if states[estate.target] != "Standby":
        found.append("not in standby")
    return found


def recorded(scene: Scene) -> dict[str, Any]:
    """Return what database and ledger say of the one incident; the ledger is whole."""
    (incident,) = scene.store.read(store.incidents)
    checkpoint(scene.store, scene.parts)
    scene.store.read(ledger.replay)
    entries = Counter(
        (e.leaf.kind, e.body["step"])
        for e in scene.entries(incident)
        if e.leaf.kind in ("action.intent", "action.done")
    )
    steps = scene.steps(incident)
    return {
        "steps": {n: (i.phase, i.verdict, i.plan.before, i.plan.wanted) for n, i in steps.items()},
        "entries": entries,
    }


def well(scene: Scene) -> str:
    """Return what is wrong after recovery; empty when all is done once and recorded once."""
    found = recorded(scene)
    wrong = [*missing(scene)]
    wrong += [f"{n} is {s[:2]}" for n, s in found["steps"].items() if s[:2] != ("done", "verified")]
    wrong += [f"{n} is not recorded" for n in STEPS - set(found["steps"])]
    wrong += [f"{what} is recorded {n} times" for what, n in found["entries"].items() if n != 1]
    if len(found["entries"]) != 2 * len(found["steps"]):
        wrong.append(f"intents and outcomes differ: {found['entries']}")
    return "; ".join(wrong)
