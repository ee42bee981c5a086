"""What the range stands on: moto's backends, a clock, and what the corrections keep besides."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any
from uuid import UUID

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping

    from playbooks.drills.range.agent import Agent, Command
    from playbooks.drills.range.calls import Call
    from playbooks.drills.range.keys import Issued
    from playbooks.drills.range.propagation import Lag
    from playbooks.drills.range.usage import Used


LOAD_IMAGES = "MOTO_EC2_LOAD_DEFAULT_AMIS"
REGIONAL: dict[str, Any] = {
    "ec2": ec2_backends,
    "elasticloadbalancing": elbv2_backends,
    "autoscaling": autoscaling_backends,
}
# In the order in which one moto backend reaches for another.
SETTLED_WITH = {
    "ec2": ("ec2",),
    "elasticloadbalancing": ("ec2", "elasticloadbalancing"),
    "autoscaling": ("ec2", "elasticloadbalancing", "autoscaling"),
}


@contextmanager
def no_public_images() -> Iterator[None]:
    """Leave out moto's 1,300 public images: making them takes half a second and draws ids."""
    before = os.environ.get(LOAD_IMAGES)
    os.environ[LOAD_IMAGES] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[LOAD_IMAGES]
        else:
            os.environ[LOAD_IMAGES] = before


@cache
def _warm(region: str) -> None:
    """Let EC2 fill what it keeps for the process and a region; later backends draw fewer ids."""
    with no_public_images():
        ec2_backends.backend(region, account_id="000000000000")


@dataclass(slots=True)
class Kept:
    """State that AWS has and moto has not; all but its times is part of the world's digest.

    conntrack: interface id -> the three timeouts in seconds that are set.
    run_tokens: (account, region, client token) -> (parameters' digest, reservation id).
    snapshots: snapshot id -> epoch seconds at which it completes.
    draining: (target group ARN, instance id, port) -> epoch seconds at which it is gone.
    back_in_service: instance id -> epoch seconds at which it left standby.
    failing: instance id -> epoch seconds since which its health check fails.
    boundaries: (account, user name) -> policy ARN.
    scps: account -> levels of service control policies, root first.
    logins: (account, user name) -> when the login profile was made.
    resetting: database ARN -> the password until then and the epoch seconds at which it changes.
    anywhere: (account, region, kind, id) -> a trust anchor or profile of Roles Anywhere.
    delegation: management account -> its organisation's resource policy.
    service_credentials: id -> what corrections/service_credentials.py keeps of it.
    agents: instance id -> its Systems Manager agent. commands: id -> what was sent to one.
    """

    conntrack: dict[str, dict[str, int]] = field(default_factory=dict)
    run_tokens: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    snapshots: dict[str, float] = field(default_factory=dict)
    draining: dict[tuple[str, str, int], float] = field(default_factory=dict)
    back_in_service: dict[str, float] = field(default_factory=dict)
    failing: dict[str, float] = field(default_factory=dict)
    boundaries: dict[tuple[str, str], str] = field(default_factory=dict)
    scps: dict[str, tuple[tuple[Mapping[str, Any], ...], ...]] = field(default_factory=dict)
    logins: dict[tuple[str, str], datetime] = field(default_factory=dict)
    resetting: dict[str, tuple[str, float]] = field(default_factory=dict)
    anywhere: dict[tuple[str, str, str, str], dict[str, Any]] = field(default_factory=dict)
    delegation: dict[str, str] = field(default_factory=dict)
    service_credentials: dict[str, Any] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)


@dataclass(slots=True)
class Ground:
    """The world's state and time; corrections and the evaluator work on this alone.

    `perform(model, operation, params, region, account)` asks the world as AWS itself would (no
    authorization) and returns the result in boto3's shape, or raises AwsError. Snapshots take
    `snapshot_seconds` of the world's time; CloudTrail lags by `trail_lag_seconds`. `written` has
    the (service, account, region) that somebody has written to. `used` has each user's and role's
    last attempt at each (service, action), by unique id; `reports` each account's credential report
    with the epoch seconds of its making; `jobs` the last-accessed reports that were asked for.
    `lag` delays what is written to IAM; None lets it bind at once.
    """

    account: str
    region: str
    clock: Callable[[], float]
    rng: random.Random
    perform: Callable[..., dict[str, Any]]
    seed: int = 0
    offset: float = 0.0
    snapshot_seconds: float = 90.0
    trail_lag_seconds: float = 15 * 60.0
    kept: Kept = field(default_factory=Kept)
    calls: list[Call] = field(default_factory=list)
    issued: dict[str, Issued] = field(default_factory=dict)
    settled: set[tuple[str, str, str]] = field(default_factory=set)
    written: set[tuple[str, str, str]] = field(default_factory=set)
    used: dict[str, dict[tuple[str, str], Used]] = field(default_factory=dict)
    reports: dict[str, tuple[float, str]] = field(default_factory=dict)
    jobs: dict[str, Any] = field(default_factory=dict)
    lag: Lag | None = None
    # What goes on by itself in the world waits for whoever is being answered.
    lock: Any = field(default_factory=RLock, repr=False)

    def seconds(self) -> float:
        """Epoch seconds of the world's clock."""
        return self.clock() + self.offset

    def now(self) -> datetime:
        """The world's time, aware UTC."""
        return self.at(self.seconds())

    def at(self, seconds: float) -> datetime:
        """Epoch seconds as aware UTC."""
        return datetime.fromtimestamp(seconds, UTC)

    def uuid(self) -> UUID:
        """A fresh id that repeats for the world's seed."""
        return UUID(int=self.rng.getrandbits(128), version=4)

    def settle(self, account: str, region: str, service: str) -> None:
        """Make an account's backend of a service, once, with ids that depend on nothing else.

        moto makes them at first use and draws ids for default resources; a read in a new
        region would then change the ids of everything made later.
        """
        made = SETTLED_WITH.get(service, ())
        if not made or (account, region, service) in self.settled:
            return
        self.settled.add((account, region, service))
        before = mock_random.getstate()
        _warm(region)
        for name in made:
            mock_random.seed(f"{self.seed}/{account}/{region}/{name}")
            backends = REGIONAL[name]
            if region in backends[account]:
                with no_public_images():
                    backends[account][region]
        mock_random.setstate(before)

    def touch(self, account: str, region: str, service: str) -> None:
        """Note that a service, and those it reaches into, was written to."""
        for name in SETTLED_WITH.get(service, (service,)):
            self.written.add((name, account, region))

    def ec2(self, account: str = "", region: str = "") -> Any:
        """moto's EC2 backend; home account and region unless told otherwise."""
        return ec2_backends[account or self.account][region or self.region]

    def iam(self, account: str = "") -> Any:
        """moto's IAM backend (IAM is global)."""
        return iam_backends[account or self.account]["aws"]

    def autoscaling(self, account: str = "", region: str = "") -> Any:
        """moto's Auto Scaling backend."""
        return autoscaling_backends[account or self.account][region or self.region]

    def elbv2(self, account: str = "", region: str = "") -> Any:
        """moto's Elastic Load Balancing v2 backend."""
        return elbv2_backends[account or self.account][region or self.region]
