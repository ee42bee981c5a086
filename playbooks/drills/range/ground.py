"""What the range stands on: moto's backends, a clock, and what the corrections keep besides."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from playbooks.drills.range.keys import Issued


@dataclass(slots=True)
class Kept:
    """State that AWS has and moto has not. All of it is part of the world's digest.

    conntrack: interface id -> the three timeouts in seconds that are set.
    run_tokens: (account, region, client token) -> (parameters' digest, reservation id).
    snapshots: snapshot id -> epoch seconds at which it completes.
    draining: (target group ARN, instance id, port) -> epoch seconds at which it is gone.
    boundaries: (account, user name) -> policy ARN.
    scps: account -> levels of service control policies, root first.
    """

    conntrack: dict[str, dict[str, int]] = field(default_factory=dict)
    run_tokens: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    snapshots: dict[str, float] = field(default_factory=dict)
    draining: dict[tuple[str, str, int], float] = field(default_factory=dict)
    boundaries: dict[tuple[str, str], str] = field(default_factory=dict)
    scps: dict[str, tuple[tuple[Mapping[str, Any], ...], ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Ground:
    """The world's state and time; corrections and the evaluator work on this alone.

    `perform(model, operation, params, region)` asks the world as AWS itself would (no
    authorization) and returns the result in boto3's shape, or raises AwsError.
    """

    account: str
    region: str
    clock: Callable[[], float]
    rng: random.Random
    perform: Callable[..., dict[str, Any]]
    offset: float = 0.0
    kept: Kept = field(default_factory=Kept)
    issued: dict[str, Issued] = field(default_factory=dict)

    def seconds(self) -> float:
        """Epoch seconds of the world's clock."""
        return self.clock() + self.offset

    def now(self) -> datetime:
        """The world's time, aware UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def settle_in(self) -> None:
        """Make the home backends now: a backend made at first use would draw ids at a read."""
        for backend in (self.ec2, self.iam, self.autoscaling, self.elbv2):
            backend()

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
