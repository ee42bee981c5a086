"""The world's state, taken out and put back: for stale, ignored, late and reverted writes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends
from moto.rds.models import rds_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssoadmin.models import ssoadmin_backends

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground, Kept

BACKENDS: tuple[Any, ...] = (
    ec2_backends,
    iam_backends,
    autoscaling_backends,
    elbv2_backends,
    secretsmanager_backends,
    rds_backends,
    organizations_backends,
    ssoadmin_backends,
)


@dataclass(frozen=True, slots=True)
class State:
    """All backends by service, account and region, and what the corrections keep."""

    backends: list[dict[str, dict[str, Any]]]
    kept: Kept


def current(ground: Ground) -> State:
    """The living state itself: what is written later is written into it."""
    return State(
        [
            {account: dict(regions) for account, regions in backends.items()}
            for backends in BACKENDS
        ],
        ground.kept,
    )


def copied(ground: Ground) -> State:
    """A copy of the state as it is now."""
    living = current(ground)
    # Public images never change; sharing them makes the copy ten times cheaper.
    memo: dict[int, Any] = {
        id(image): image
        for regions in living.backends[0].values()
        for ec2 in regions.values()
        for image in ec2.amis.values()
    }
    state: State = copy.deepcopy(living, memo)
    for regions in state.backends[0].values():
        for ec2 in regions.values():
            _adopt_rules(ec2)
    return state


def put_back(ground: Ground, state: State) -> None:
    """Make `state` the living one."""
    for backends, accounts in zip(BACKENDS, state.backends, strict=True):
        for account, regions in accounts.items():
            dict.clear(backends[account])
            dict.update(backends[account], regions)
    ground.kept = state.kept


def _adopt_rules(ec2: Any) -> None:
    """moto's rules keep their old backend when copied, and would look up tags there."""
    for groups in ec2.groups.values():
        for group in groups.values():
            for rule in (*group.ingress_rules, *group.egress_rules):
                rule.ec2_backend = ec2
