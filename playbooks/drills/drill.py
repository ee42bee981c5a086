"""The drill: findings on the practice range, answered by Stanch as it is, scored from outside."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import botocore.session

from playbooks.drills import attacker
from playbooks.drills.commands import Processes, Ran, Runner, Started, serving
from playbooks.drills.range.calls import Call
from playbooks.drills.range.estate import Estate, build_estate
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World, loader
from playbooks.drills.scenario import Deployment, deploy
from playbooks.drills.scorecard import Scorecard
from playbooks.drills.stage import Scenario
from playbooks.drills.stamped import CLOCK, stamped
from playbooks.drills.watch import Watch, until
from playbooks.drills.witnessed import witnessed
from playbooks.wiring.prefect_server import running

# Where the attacker listens (RFC 5737, TEST-NET-3).
COMMAND_AND_CONTROL = "203.0.113.77"
# What a containment may take: far more than it does, so that a slow machine is no failure.
PATIENCE = 60.0


@dataclass
class Drill:
    """One run: the world, the deployment in it, and what was seen so far."""

    folder: Path
    world: World
    estate: Estate
    endpoint: str
    deployment: Deployment
    runner: Runner = field(default_factory=Processes)
    # What the scenario's stage holds.
    things: Any = field(default=None, repr=False)
    broken: str = ""
    serve_with: tuple[str, ...] = ()
    served: Started | None = None
    score: Scorecard = field(default_factory=Scorecard)
    told: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A stage may have let time pass before.
        self._clock.write_text(str(self.world.ground.offset))

    @property
    def _clock(self) -> Path:
        return self.folder / CLOCK

    def tick(self, seconds: float) -> None:
        """Move the time on, the world's and that of every Stanch process."""
        self.world.tick(seconds)
        late = self.folder / "clock.new"
        late.write_text(str(self.world.ground.offset))
        # At once: a process that reads in between finds the old time or the new one.
        late.replace(self._clock)

    def run(self, *arguments: str) -> Ran:
        """Run a `stanch` command in the deployment."""
        return self.runner.run(self._launch("stanch", *arguments), self.deployment.environment)

    def verify(self, bundle: Path, trust: Path) -> Ran:
        """Run the offline verifier."""
        check = ("verify", str(bundle), "--trust", str(trust), "--json")
        return self.runner.run(self._launch("evidence", *check), {})

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Run `stanch serve` while the block runs; yield its URL."""
        arguments = self._launch("stanch", "serve", "--port", "0", *self.serve_with)
        with serving(self.runner, arguments, self.deployment.environment, self.folder) as served:
            url, self.served = served
            yield url

    def _launch(self, program: str, *arguments: str) -> list[str]:
        broken = ["--broken", self.broken] if self.broken else []
        return ["--clock", str(self._clock), *broken, program, *arguments]

    @property
    def watch(self) -> Watch:
        """Return a look into the deployment's database."""
        return Watch(self.deployment.settings.home / "stanch.db")

    def rests(self) -> bool:
        """Wait until nothing is left to do; return whether it came to that in time."""
        return self.waited(lambda: self.watch.at_rest(self.world.now()))

    def waited(self, so: Callable[[], bool], seconds: float = PATIENCE) -> bool:
        """Wait until it is so, as long as somebody serves; return whether it came to that."""
        until(lambda: so() or self.served is None or self.served.poll() is not None, seconds)
        return so()

    def opened(self, count: int) -> str:
        """Wait for the nth incident and the end of what it set off; return its id, or nothing."""
        self.waited(lambda: len(self.watch.incidents()) >= count)
        self.rests()
        return (self.watch.incidents()[count - 1 : count] or [""])[0]

    def changes(self, since: int) -> list[Call]:
        """Return what Stanch changed in the world, from that call on; its own queue apart."""
        role = self.estate.responder_role.rpartition("/")[2]
        return [
            call
            for call in self.world.calls[since:]
            if call.mutating
            and call.service != "sqs"
            and call.principal
            and f"/{role}/" in call.principal.arn
        ]

    def clients(self, service: str) -> Any:
        """Return an administrator's client over HTTP: the referee's eyes."""
        session: Any = self._session(self.world.admin)
        return session.client(service, endpoint_url=self.endpoint)

    def reach(self, held: Credentials) -> dict[str, bool]:
        """Return what somebody who holds these credentials can do now."""
        bucket, key = self.estate.bucket, self.estate.object_key
        return attacker.reach(self._session(held), self.endpoint, bucket, key)

    def _session(self, keys: Credentials) -> boto3.Session:
        core: Any = botocore.session.Session()
        # Parsing EC2's model takes 0.2 s; one loader keeps it for all sessions.
        core.register_component("data_loader", loader())
        return boto3.Session(
            keys.access_key,
            keys.secret_key,
            keys.token or None,
            region_name=self.world.region,
            botocore_session=core,
        )

    def network(self) -> dict[str, bool]:
        """Return what the network lets through to and from the host now."""
        can, target = self.world, self.estate.target
        return {
            "call home (IPv4)": can.can_egress(target, COMMAND_AND_CONTROL, 443),
            "call home (IPv6)": can.can_egress(target, "2001:db8::77", 443),
            "reach the host": can.can_connect("10.0.0.0/8", target, 22),
        }


def build() -> tuple[World, Estate]:
    """Return the world that a drill takes place in."""
    world = World()
    return world, build_estate(world)


@contextmanager
def prepared(
    scenario: Scenario,
    folder: Path,
    world: World,
    estate: Estate,
    *,
    prefect: bool = True,
    **more: Any,
) -> Iterator[Drill]:
    """Yield a drill that is set up: range, stage, deployment, who vouches for it, maybe Prefect.

    `prefect` False leaves that out, else the scenario says whether it has one.
    """
    with (
        scenario.build(world, estate) as stage,
        serve(world) as endpoint,
        stamped(folder, world.ground.offset) as lines,
    ):
        # Settings of a real deployment: the drill must not write to its database or its home.
        kept = {k: os.environ.pop(k) for k in list(os.environ) if k.startswith("STANCH_")}
        set_up = replace(stage, lines=(*stage.lines, *lines))
        deployment = deploy(folder, world, estate, endpoint, set_up)
        os.environ.update(deployment.environment)
        home = deployment.settings.home
        try:
            with (
                running(home, 60.0) if prefect and scenario.prefect else nullcontext(),
                witnessed(deployment) as seen,
            ):
                yield Drill(folder, world, estate, endpoint, seen, things=stage.things, **more)
        finally:
            for name in deployment.environment:
                os.environ.pop(name, None)
            os.environ.update(kept)
