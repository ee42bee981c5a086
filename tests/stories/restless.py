"""A Stanch whose processes die and are started again, while alerts come by both ways in."""

import json
import os
import random
import signal
import socket
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from evidence import ledger
from playbooks.case import schema, store
from playbooks.case.store import Store
from playbooks.drills.deliver import Answered, post, signed
from playbooks.drills.range.estate import Estate, build_estate
from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World
from playbooks.drills.scenario import SENDER, Deployment, deploy, finding
from playbooks.wiring.database import open_engine
from tests.stories.kindling import Kindled
from tests.stories.zygote import Child

PATIENCE = 90.0
HOSTS = 3


@dataclass
class Restless:
    """A deployment, the hosts in it, the processes that work for it, and what was accepted."""

    world: World
    estate: Estate
    made: Deployment
    db: Store
    fire: Kindled
    hosts: list[str]
    port: int
    children: list[Child] = field(default_factory=list)
    accepted: dict[str, str] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)
    refused: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Return what all processes wrote."""
        return "\n".join(p.read_text() for p in sorted(self.made.folder.glob("child-*.log")))

    def begin(self, *command: str, **more: str) -> Child:
        """Start a command that stays; it may not be ready yet."""
        out = self.made.folder / f"child-{len(self.children):03}.out"
        arguments = ["--clock", str(self.made.folder / "clock"), "stanch", *command]
        child = self.fire.begin(arguments, self.made.environment | self.more | more, out)
        self.children.append(child)
        return child

    def start(self, *command: str, **more: str) -> Child:
        """Start a command that stays, and return once it says that it is ready."""
        child = self.begin(*command, **more)
        self.ready(child)
        return child

    def ready(self, child: Child) -> None:
        out = self.made.folder / f"child-{self.children.index(child):03}.out"
        self.until(lambda: out.exists() and out.read_text().startswith("ready"))

    def serve(self, prefect: bool = False) -> Child:
        shown = () if prefect else ("--without-prefect",)
        return self.start("serve", "--port", str(self.port), *shown)

    def kill(self, child: Child, how: signal.Signals = signal.SIGKILL) -> None:
        if child.poll() is None:
            os.kill(child.pid, how)
            child.wait(PATIENCE)

    def told(self, host: int, number: int) -> dict[str, Any]:
        """Return the nth finding about a host."""
        made = finding(self.world, self.estate, number)
        made["detail"]["resource"]["instanceDetails"]["instanceId"] = self.hosts[host]
        return made

    def post(self, event: dict[str, Any], at: float = 0.0) -> Answered | None:
        """Post a finding as the SIEM does; None where nobody answered, so it knows nothing."""
        key = self.made.environment["STANCH_DRILL_SIEM_KEY"]
        self.sent = signed(SENDER, key, event, self.world.now())
        try:
            answer = post(self.url, self.sent)
        except (urllib.error.URLError, OSError, json.JSONDecodeError):
            self.refused += 1
            return None
        if answer.status == 202:
            self.accepted[event["detail"]["id"]] = answer.said["incident"]
        return answer

    def insist(self, event: dict[str, Any]) -> None:
        """Post until it is accepted, as a sender does that has had no answer."""
        self.until(lambda: (a := self.post(event)) is not None and a.status == 202)

    def deliver(self, event: dict[str, Any]) -> None:
        """Put a finding into the queue, which holds it until it is deleted."""
        self.world.deliver(event, self.estate.queue.arn, self.estate.queue.rule)
        self.accepted[event["detail"]["id"]] = ""

    def tick(self, seconds: float) -> None:
        """Move the time on, the world's and that of every process."""
        self.world.tick(seconds)
        self.shift(self.world.ground.offset)

    def shift(self, seconds: float) -> None:
        """Set the clock of every process so far from the machine's."""
        late = self.made.folder / "clock.new"
        late.write_text(str(seconds))
        late.replace(self.made.folder / "clock")

    def until(self, what: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """Return what a look gives once it gives something."""
        end = time.monotonic() + patience
        while not (found := what()):
            assert time.monotonic() < end, self.log[-4000:]
            time.sleep(0.05)
        return found

    def alerts(self) -> dict[str, str]:
        """Return the incident of each finding that is recorded, by the finding's own id."""
        table = schema.alerts
        query = select(table.c.dedupe_key, table.c.incident)
        rows = self.db.read(lambda conn: conn.execute(query).all())
        assert len({r.dedupe_key for r in rows}) == len(rows)
        return {r.dedupe_key.rpartition(":")[2]: r.incident for r in rows}

    def rests(self) -> bool:
        """Return whether all that was accepted is recorded, and all of it is worked to its end."""
        if set(self.accepted) - set(self.alerts()):
            return False
        table, cases = schema.work, schema.incidents
        open_work = select(table.c.id).where(table.c.done.is_(False), table.c.why != store.TIMER)
        held = select(cases.c.id).where(cases.c.holder != "")
        rows = self.db.read(lambda c: [*c.execute(open_work), *c.execute(held)])
        entries = self.db.read(lambda c: [e for i in store.incidents(c) for e in _entries(c, i.id)])
        return not rows and all(e.index is not None for e in entries)

    def settled(self) -> None:
        """Wait until it rests; what a dead process had received comes back to the queue."""
        hidden = time.monotonic() + 5.0
        end = time.monotonic() + PATIENCE
        while not self.rests():
            assert time.monotonic() < end, (self.accepted, self.alerts(), self.log[-2000:])
            if time.monotonic() > hidden and set(self.accepted) - set(self.alerts()):
                hidden += 5.0
                self.tick(31)
            time.sleep(0.1)

    def ours(self) -> list[Any]:
        """Return the calls of Stanch's own role that were carried out."""
        calls = list(self.world.calls)
        return [
            c
            for c in calls
            if c.principal and "incident-responder" in c.principal.arn and not c.error
        ]


def _entries(conn: Any, incident: str) -> list[Any]:
    return list(ledger.entries(conn, incident))


@contextmanager
def restless(folder: Path, fire: Kindled, seed: int = 0, **more: str) -> Iterator[Restless]:
    """Yield a deployment over a world of its own; all that was started ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(seed=seed)
    estate = build_estate(world)
    ec2: Any = world.client("ec2", world.admin)
    made = ec2.run_instances(
        ImageId=estate.image,
        MinCount=HOSTS - 1,
        MaxCount=HOSTS - 1,
        IamInstanceProfile={"Name": estate.profile},
    )
    hosts = [estate.target, *(i["InstanceId"] for i in made["Instances"])]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: os.environ.get(name) for name in ("STANCH_CONFIG", *more)}
    with serve(world) as endpoint:
        os.environ.update(more)
        try:
            deployment = deploy(folder, world, estate, endpoint)
            engine = open_engine(deployment.settings)
            here = Restless(world, estate, deployment, Store(engine), fire, hosts, port, more=more)
            here.shift(0)
            try:
                yield here
            finally:
                for child in here.children:
                    with suppress(ProcessLookupError):
                        os.kill(child.pid, signal.SIGCONT)
                        here.kill(child)
                engine.dispose()
        finally:
            for name, value in kept.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def contained(here: Restless) -> dict[str, str]:
    """Hold what is left to the laws of containment; return the incident of each host.

    Each accepted alert is in one incident, each host has one, all was done once and is recorded.
    """
    alerts = here.alerts()
    assert set(here.accepted) <= set(alerts)
    for uid, incident in here.accepted.items():
        assert not incident.startswith("INC-") or incident == alerts[uid], (uid, incident)
    incidents = here.db.read(store.incidents)
    assert set(alerts.values()) == {i.id for i in incidents}
    names = {i.target["id"]: i.id for i in incidents}
    assert len(names) == len(incidents), "one host is in two incidents"
    here.db.read(ledger.replay)
    acts = [_host(here, host, incident) for host, incident in names.items()]
    assert all(one == acts[0] for one in acts)
    iam: Any = here.world.client("iam", here.world.admin)
    policies = iam.list_role_policies(RoleName=here.estate.role)["PolicyNames"]
    denials = sorted(name for name in policies if name.startswith("stanch"))
    assert denials == sorted(f"stanch-deny-sessions-{host}" for host in names)
    return names


def _host(here: Restless, host: str, incident: str) -> set[str]:
    ec2: Any = here.world.client("ec2", here.world.admin)
    nics = ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [host]}]
    )["NetworkInterfaces"]
    for nic in nics:
        assert [g["GroupName"].partition(host)[0] for g in nic["Groups"]] == ["stanch-quarantine-"]
    found = ec2.describe_instances(InstanceIds=[host])["Reservations"][0]["Instances"][0]
    assert incident in {t["Value"] for t in found["Tags"] if t["Key"] == "stanch:incident"}
    shots = Counter(
        {t["Key"]: t["Value"] for t in s.get("Tags", [])}.get("stanch:mark", "").partition(":")[0]
        for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    )
    assert shots[incident] == len(found["BlockDeviceMappings"])
    entries = here.db.read(lambda conn: _entries(conn, incident))
    assert all(e.index is not None for e in entries)
    counted = Counter(
        (e.leaf.kind, e.body["step"])
        for e in entries
        if e.leaf.kind in ("action.intent", "action.done")
    )
    assert set(counted.values()) == {1}, (incident, counted)
    steps = [i for i, _ in here.db.read(lambda conn: store.steps(conn, incident))]
    assert {(i.phase, i.verdict) for i in steps} == {("done", "verified")}
    assert set(counted) == {
        (kind, i.step) for i in steps for kind in ("action.intent", "action.done")
    }
    status = here.db.read(lambda conn: store.incident(conn, incident).status)
    assert status.startswith("contained"), status
    acts = {i.step.partition("/")[0] for i in steps}
    assert acts >= {"deny_instance_sessions", "isolate_instance", "snapshot_volumes"}
    return acts


def storm(here: Restless, rng: random.Random, each: int = 3) -> list[Callable[[], None]]:
    """Return sends, shuffled: `each` findings a host, some twice, by either way in."""
    sends: list[Callable[[], None]] = []
    for host in range(HOSTS):
        for n in range(each):
            event = here.told(host, 1 + host * each + n)
            way = rng.choice((here.insist, here.deliver))
            sends += [lambda e=event, w=way: w(e)] * rng.choice((1, 2))
    rng.shuffle(sends)
    return sends


def lived(here: Restless, rng: random.Random, kills: int, *, prefect: bool = False) -> list[str]:
    """Send a storm while the one process that serves is killed so often; return where it was."""
    found: list[str] = []
    sends = storm(here, rng)

    def die() -> None:
        for _ in range(kills):
            child = here.serve(prefect)
            before, wanted = len(here.world.calls), rng.randint(5, 120)
            late = threading.Event()
            # Whichever comes first: a call of its plays, or a time at which it may be idle.
            for _ in range(int(rng.uniform(2, 40))):
                if len(here.world.calls) - before >= wanted:
                    break
                late.wait(0.1)
            here.kill(child)
            found.append("at rest" if here.rests() else "at work")
        here.serve(prefect)

    dying = threading.Thread(target=die)
    dying.start()
    try:
        for send in sends:
            send()
            threading.Event().wait(rng.uniform(0, 0.6))
    finally:
        dying.join()
    here.settled()
    return found
