"""The drill: a finding on the practice range, answered by Stanch as it is, scored from outside."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from playbooks.drills import attacker, host
from playbooks.drills.commands import Ran, stanch, verify
from playbooks.drills.range.estate import Estate, build_estate
from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World
from playbooks.drills.scenario import Deployment, deploy
from playbooks.drills.scorecard import Scorecard
from playbooks.wiring.prefect_server import running

# Where the attacker listens (RFC 5737, TEST-NET-3).
COMMAND_AND_CONTROL = "203.0.113.77"


@dataclass
class Drill:
    """One run: the world, the deployment in it, and what was seen so far."""

    folder: Path
    world: World
    estate: Estate
    endpoint: str
    deployment: Deployment
    score: Scorecard = field(default_factory=Scorecard)
    told: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)

    def run(self, *arguments: str) -> Ran:
        """Run a `stanch` command in the deployment."""
        return stanch(self.deployment.environment, *arguments)

    def clients(self, service: str) -> Any:
        """Return an administrator's client over HTTP: the referee's eyes."""
        session: Any = self._session(self.world.admin)
        return session.client(service, endpoint_url=self.endpoint)

    def reach(self, instance: str) -> dict[str, bool]:
        """Return what somebody who holds the instance's credentials can do now."""
        held = self._session(self.world.instance_credentials(instance))
        return attacker.reach(held, self.endpoint, self.estate.bucket, self.estate.object_key)

    def _session(self, keys: Any) -> boto3.Session:
        return boto3.Session(
            keys.access_key, keys.secret_key, keys.token or None, region_name=self.world.region
        )

    def network(self) -> dict[str, bool]:
        """Return what the network lets through to and from the host now."""
        can, target = self.world, self.estate.target
        return {
            "call home (IPv4)": can.can_egress(target, COMMAND_AND_CONTROL, 443),
            "call home (IPv6)": can.can_egress(target, "2001:db8::77", 443),
            "reach the host": can.can_connect("10.0.0.0/8", target, 22),
        }


@contextmanager
def prepared(folder: Path) -> Iterator[Drill]:
    """Yield a drill that is set up: range, estate, deployment, Prefect's server."""
    world = World()
    estate = build_estate(world)
    with serve(world) as endpoint:
        kept = {k: os.environ.get(k) for k in ("STANCH_CONFIG",)}
        deployment = deploy(folder, world, estate, endpoint)
        os.environ.update(deployment.environment)
        try:
            with running(deployment.settings.home, 60.0):
                yield Drill(folder, world, estate, endpoint, deployment)
        finally:
            for name in deployment.environment:
                os.environ.pop(name, None)
            os.environ.update({k: v for k, v in kept.items() if v is not None})


def play(drill: Drill, out: Path) -> None:
    """Run the scenario to its end and score every claim; leaves bundle and trust in `out`."""
    before = drill.seen["host before"] = host.describe(drill.clients, drill.estate)
    drill.seen["attacker before"] = drill.reach(drill.estate.target)
    drill.seen["network before"] = drill.network()
    # An outbound shell that stands already: tracked, for the way back is not open to all.
    shell = drill.world.open_flow(drill.estate.target, COMMAND_AND_CONTROL, 443)
    drill.score.claim("a reverse shell stands before", True, shell.send())
    shut = [k for k, v in drill.seen["attacker before"].items() if not v]
    drill.score.claim("the attacker gets in before", [], shut)
    contain(drill)
    drill.seen["shell after"] = shell.send()
    drill.score.claim("an established flow outlives isolation, as said", True, shell.alive())
    drill.world.tick(300)
    drill.score.claim("and is gone once idle", False, shell.alive())
    survives(drill)
    prove(drill, out)
    undo(drill, before)


def contain(drill: Drill) -> None:
    """Hand the finding in, and look from outside at what that did."""
    score, calls = drill.score, len(drill.world.calls)
    ran = drill.run("respond", str(drill.deployment.finding), "--json", "--prefect-patience", "60")
    score.claim("respond ends well", (0, "Waiting"), (ran.status, ran.json.get("ended")))
    if ran.status != 0:
        drill.seen["error"] = ran.err
    drill.told = ran.json
    _times(drill, calls)
    known = ["alert to contained", "alert to first action"]
    score.claim("the times are known", known, sorted(score.figures))
    after = drill.seen["attacker after"] = drill.reach(drill.estate.target)
    score.claim("the stolen credentials do nothing", [], [k for k, v in after.items() if v])
    network = drill.seen["network after"] = drill.network()
    score.claim("the network lets nothing through", [], [k for k, v in network.items() if v])
    sibling = drill.seen["sibling"] = drill.reach(drill.estate.sibling)
    score.claim("the sibling still works", [], [k for k, v in sibling.items() if not v])
    steps = drill.told.get("steps", [])
    unsure = [s["step"] for s in steps if s["verdict"] != "verified"] if steps else ["none done"]
    score.claim("every step is verified", [], unsure)
    score.claim("status is honest", "contained, live flows possible", drill.told.get("status"))
    first = (drill.told.get("residual") or [""])[0]
    score.claim("residual names tracked flows first", True, "tracked flows" in first)


def survives(drill: Drill) -> None:
    """See that the scaling group, which checks health, has not ended the evidence."""
    state = drill.clients("ec2").describe_instances(InstanceIds=[drill.estate.target])
    alive = state["Reservations"][0]["Instances"][0]["State"]["Name"]
    drill.score.claim("the scaling group did not end the host", "running", alive)


def _times(drill: Drill, calls: int) -> None:
    if not drill.told.get("steps"):
        return
    opened = datetime.fromisoformat(drill.told["opened"])
    role = drill.estate.responder_role.rpartition("/")[2]
    made = [
        c.at
        for c in drill.world.calls[calls:]
        if c.mutating and c.principal and role in c.principal.arn
    ]
    if made:
        drill.score.figures["alert to first action"] = (min(made) - opened).total_seconds()
    for step in drill.told["steps"]:
        if step["step"].startswith("isolate_instance/") and step["finished"]:
            done = datetime.fromisoformat(step["finished"])
            drill.score.figures["alert to contained"] = (done - opened).total_seconds()


def prove(drill: Drill, out: Path) -> None:
    """Export, verify offline, and see that a tampered copy is caught."""
    trust = out / "trust.json"
    shutil.copy(drill.deployment.settings.home / "keys" / "trust.json", trust)
    bundle = out / "bundle"
    collected = drill.told.get("evidence", [])
    missed = [one["name"] for each in collected for one in each["missed"]]
    kept = any(each["artifacts"] for each in collected)
    drill.score.claim("evidence was kept and none missed", [True, []], [kept, missed])
    exported = drill.run("export", drill.told.get("id", ""), "-o", str(bundle))
    drill.score.claim("the bundle is written", 0, exported.status)
    verdict = verify(bundle, trust)
    drill.seen["verdict"] = verdict.json
    # 3: valid, with no witness and no timestamp yet.
    drill.score.claim("the bundle verifies offline", 3, verdict.status)
    copy = drill.folder / "tampered"
    shutil.copytree(bundle, copy)
    victim = max((copy / "data" / "artifacts").iterdir(), key=lambda p: p.stat().st_size)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    caught = verify(copy, trust)
    drill.seen["tampered"] = caught.json
    drill.score.claim("a flipped bit is caught", 1, caught.status)
    drill.score.claim("and named", True, victim.name in caught.out)


def undo(drill: Drill, before: dict[str, Any]) -> None:
    """Roll back as a false positive: one asks, another approves, the host is as it was."""
    incident, here = drill.told.get("id", ""), drill.deployment
    asked = drill.run("rollback", incident, "--key", str(here.alice))
    drill.score.claim("a rollback asks first", 0, asked.status)
    told = drill.run("show", incident, "--json").json
    question = next(
        (q["id"] for q in told.get("questions", []) if q["step"].startswith("rollback/")), ""
    )
    own = drill.run("approve", question, "--key", str(here.alice))
    drill.score.claim("nobody approves their own request", 1, own.status)
    other = drill.run("approve", question, "--key", str(here.bob), "--reason", "false positive")
    drill.score.claim("another person approves", 0, other.status)
    done = drill.run("rollback", incident, "--key", str(here.alice))
    drill.score.claim("the rollback ends well", 0, done.status)
    if done.status != 0:
        drill.seen["rollback"] = done.out + done.err
    after = drill.seen["host after"] = host.describe(drill.clients, drill.estate)
    drill.score.claim("the host is exactly as it was", before, after)
