"""One run of the attacker against an order of steps: the world, the responder, the count."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Any

from botocore.config import Config

from actions import engine
from actions.action import Lens
from actions.aws import latch
from actions.aws.clients import Aws
from actions.aws.principal import Kind, Principal
from actions.errors import NothingToDoError, TargetGoneError
from playbooks.drills.range.adversary import Attacker
from playbooks.drills.range.estate_identity import (
    MANAGEMENT,
    SCP,
    SECURITY,
    STRANGER,
    EstateIdentity,
    build_identity,
)
from playbooks.drills.range.facts import Thing
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.propagation import Timeline
from playbooks.drills.range.pursuit import Pursuit
from playbooks.drills.range.world import World
from playbooks.latch.shield import shield

START = 1_790_000_000.0
REGION = "eu-west-1"
# Seconds in which a write to IAM comes to bind, and one to a service control policy. Nobody
# publishes the first; others measured about 4. The second is said to be immediate.
IAM_DELAY, SCP_DELAY = (2.0, 8.0), (0.5, 2.0)
# The attacker has been at work for up to so many seconds when the alert comes.
HEAD_START = 20.0
# Contained: without a success for so long, which must have begun so long after the alert.
QUIET, HORIZON = 60.0, 60.0
OURS = "stanch-"
NEVER = datetime.max.replace(tzinfo=UTC)
KINDS: tuple[tuple[Kind, str], ...] = (("user", "User"), ("role", "Role"))
ONCE = Config(retries={"total_max_attempts": 1})


@dataclass(frozen=True, slots=True)
class Score:
    """One run: seconds and calls from the alert to the attacker's last success.

    `after_deny` are the calls that got through once the first denial of the target was effective;
    all of them where none ever was.
    """

    seconds: float
    calls: int
    after_deny: int
    contained: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A principal that the attacker has, and whether a denial of Stanch's hangs on it."""

    who: Principal
    unique_id: str
    denied: bool


@dataclass
class Hunt:
    """The world, built once; each run forks it. `passing` is who lets time pass in this run."""

    world: World
    estate: EstateIdentity
    latch_id: str = ""
    pursuit: Pursuit | None = None
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    since: datetime = NEVER

    @property
    def target(self) -> Principal:
        return Principal(self.world.account, "user", self.estate.target)

    @property
    def p(self) -> Aws:
        return Aws(self.world.account, REGION, lambda s: self.client(s, self.estate.home))

    @property
    def admin(self) -> Aws:
        return Aws(SECURITY, REGION, lambda s: self.client(s, self.estate.security))

    def client(self, service: str, worn: Credentials) -> Any:
        """Return a client of the responder's, each call of which takes a while."""
        key = (service, worn.access_key)
        if key not in self.clients:
            made = self.world.session(worn).client(service, config=ONCE)  # type: ignore[call-overload]
            made.meta.events.register("before-call", self._takes_time)
            self.clients[key] = made
        return self.clients[key]

    def do(self, lens: Lens[Aws], p: Aws | None = None) -> None:
        """Write what the lens wants and the world has not; nothing where there is nothing to do."""
        p = p or self.p
        try:
            planned = engine.plan(lens, p)
            for key, (_, wanted) in engine.changes(lens, planned).items():
                lens.write(p, key, wanted)
        except (NothingToDoError, TargetGoneError):
            return

    def seen(self) -> list[Seen]:
        """Return the target and what was made since the first sign, without Stanch's own."""
        answer: Any = self.p.iam.get_account_authorization_details(
            Filter=["User", "Role"], MaxItems=1000
        )
        return [
            Seen(
                Principal(self.world.account, kind, one[f"{name}Name"]),
                one[f"{name}Id"],
                any(p["PolicyName"].startswith(OURS) for p in one["AttachedManagedPolicies"]),
            )
            for kind, name in KINDS
            for one in answer[f"{name}DetailList"]
            if one[f"{name}Name"] == self.estate.target
            or (one["CreateDate"] >= self.since and not one[f"{name}Name"].startswith(OURS))
        ]

    def arns(self, whom: Iterable[Principal]) -> tuple[str, ...]:
        return tuple(f"arn:aws:iam::{who.account}:{who.kind}/{who.name}" for who in whom)

    def borrowed(self, given: Mapping[str, Any]) -> Callable[[str, str], Any]:
        """Return clients of a session that was assumed, by service and region."""
        worn = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return lambda service, _region: self.client(service, worn)

    def _takes_time(self, **_: Any) -> None:
        if self.pursuit is not None:
            self.pursuit.passes(self.pursuit.rng.uniform(0.05, 0.25))


def build(*, latched: bool, federation: bool = True) -> Hunt:
    """Return the world before the attack, with the latch and the shield attached or without.

    Without `federation` a policy forbids GetFederationToken to everybody beforehand: such a session
    bears another aws:PrincipalArn, which a latch cannot name.
    """
    world = World(seed=4, clock=lambda: START)
    hunt = Hunt(world, build_identity(world))
    if latched:
        responders = [f"arn:aws:iam::*:role/{OURS}responder"]
        hunt.latch_id = _attached(world, "stanch-latch", latch.packed(latch.document([])))
        _attached(world, "stanch-shield", latch.packed(shield(responders, "aws")))
        _delegate(world)
    if not federation:
        denial = {"Effect": "Deny", "Action": "sts:GetFederationToken", "Resource": "*"}
        content = {"Version": "2012-10-17", "Statement": [denial]}
        _attached(world, "no-federation", latch.packed(content))
    for service in ("iam", "sts", "s3", "organizations", "ec2"):
        hunt.client(service, hunt.estate.home)
    hunt.client("organizations", hunt.estate.security)
    return hunt


def run(hunt: Hunt, order: Callable[[Hunt], None], seed: int) -> Score:
    """Let the attacker work for a while, raise the alert, do the order, and count."""
    world, estate = hunt.world, hunt.estate
    world.delay(*IAM_DELAY, scp=SCP_DELAY, seed=seed)
    attacker = Attacker(world, estate.leaked, estate.target, estate.outside, STRANGER, seed)
    hunt.pursuit = pursuit = Pursuit(world, attacker, seed)
    hunt.since = world.now().replace(microsecond=0)
    rng = random.Random(f"head start {seed}")
    pursuit.passes(rng.uniform(1.0, HEAD_START))
    alert = pursuit.seconds()
    order(hunt)
    hunt.clients.clear()
    contained = pursuit.quiet(QUIET, alert + HORIZON)
    successes = [at - alert for at in attacker.hands.successes if at > alert]
    deny = first_deny(hunt) - alert
    if deny == inf:
        deny = 0.0  # It was taken off before it bound: all that got through did so undenied.
    return Score(
        seconds=max(successes, default=0.0),
        calls=len(successes),
        after_deny=sum(1 for at in successes if at >= deny),
        contained=contained,
    )


def first_deny(hunt: Hunt) -> float:
    """Return the epoch seconds at which the first denial of the target came to bind; else never."""
    lag, account = hunt.world.ground.lag, hunt.world.account
    assert lag is not None
    found = [inf]
    for (kind, name), line in lag.timelines[Thing(account, "user", hunt.estate.target)].items():
        if kind == "inline":
            found += _binding(line)
        elif kind == "attached":
            # A managed policy binds when both it and its attachment have come through.
            policy = lag.timelines.get(Thing(account, "policy", name), {}).get(("document", ""))
            ready = policy[0][0] if policy else 0.0
            found += [max(at, ready) for at in _binding(line)]
    if hunt.latch_id:
        found += _binding(lag.timelines[Thing(MANAGEMENT, "scp", hunt.latch_id)]["document", ""])
    return min(found)


def _binding(line: Timeline) -> list[float]:
    """Return when each text of a fact came to be effective, unless the next one came with it."""
    following = [at for at, _ in line[1:]] + [inf]
    return [
        at for (at, text), then in zip(line, following, strict=True) if START < at < then and text
    ]


def _attached(world: World, name: str, content: str) -> str:
    org: Any = world.client("organizations", world.root_of(MANAGEMENT))
    made = org.create_policy(Name=name, Description=name, Type=SCP, Content=content)
    policy = str(made["Policy"]["PolicySummary"]["Id"])
    for account in (world.account, SECURITY):
        org.attach_policy(PolicyId=policy, TargetId=account)
    return policy


def _delegate(world: World) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{SECURITY}:root"},
        "Action": ["organizations:DescribePolicy", "organizations:UpdatePolicy"],
        "Resource": "*",
    }
    org: Any = world.client("organizations", world.root_of(MANAGEMENT))
    content = {"Version": "2012-10-17", "Statement": [statement]}
    org.put_resource_policy(Content=latch.packed(content))
