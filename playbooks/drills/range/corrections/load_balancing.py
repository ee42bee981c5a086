"""Targets drain when they leave, and are healthy only if the load balancer can reach them.

AWS: DeregisterTargets / Deregistration delay: the target is `draining` for
deregistration_delay.timeout_seconds (300 by default), then unused; AWS: Target group health
checks: a target that does not answer in time is `unhealthy` (Target.Timeout). moto drops a target
at once and calls every registered one healthy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.network import can_connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def deregister(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """DeregisterTargets: each leaves and drains. One that is not registered changes nothing."""
    arn = asked.params["TargetGroupArn"]
    _target_group(ground, asked)
    for target in asked.params.get("Targets", []):
        leave(ground, asked.account, asked.region, arn, target["Id"])
    return {}


def leave(ground: Ground, account: str, region: str, arn: str, target_id: str) -> None:
    """Take a target out of its group and let it drain."""
    group = ground.elbv2(account, region).target_groups[arn]
    target = group.targets.pop(target_id, None)
    if target is not None:
        delay = float(group.attributes["deregistration_delay.timeout_seconds"])
        key = (arn, target_id, int(target["Port"]))
        ground.kept.draining[key] = ground.seconds() + delay


def register(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """RegisterTargets: a target that comes back no longer drains."""
    arn = asked.params["TargetGroupArn"]
    result = onward()
    for target in asked.params.get("Targets", []):
        forget(ground, arn, target["Id"])
    return result


def forget(ground: Ground, arn: str, target_id: str) -> None:
    """Stop draining a target that is registered again."""
    for key in [k for k in ground.kept.draining if k[:2] == (arn, target_id)]:
        del ground.kept.draining[key]


def health(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """DescribeTargetHealth: registered targets, then those that drain."""
    group = _target_group(ground, asked)
    ec2 = ground.ec2(asked.account, asked.region)
    known = {t["Id"]: _registered(ground, ec2, group, t) for t in group.targets.values()}
    for (arn, target_id, port), ends in ground.kept.draining.items():
        if arn == group.arn and target_id not in known and ground.seconds() < ends:
            known[target_id] = _described(
                target_id, port, group, "draining", "Target.DeregistrationInProgress"
            )
    named = asked.params.get("Targets")
    if not named:
        return {"TargetHealthDescriptions": list(known.values())}
    return {
        "TargetHealthDescriptions": [
            known.get(t["Id"])
            or _described(
                t["Id"], t.get("Port", group.port), group, "unused", "Target.NotRegistered"
            )
            for t in named
        ]
    }


def reachable(ground: Ground, ec2: Any, group: Any, target: Mapping[str, Any]) -> bool:
    """Whether any load balancer of the group gets through to the target's port."""
    instance = next((i for i in ec2.all_instances() if i.id == target["Id"]), None)
    if instance is None or instance.state != "running":
        return False
    balancers = ground.elbv2(ec2.account_id, ec2.region_name).load_balancers
    sources = [
        source
        for arn in group.load_balancer_arns
        if arn in balancers
        for source in balancers[arn].security_groups
    ]
    return any(can_connect(ec2, source, instance, int(target["Port"])) for source in sources)


def _registered(ground: Ground, ec2: Any, group: Any, target: Mapping[str, Any]) -> dict[str, Any]:
    where = (target["Id"], target["Port"], group)
    if not group.load_balancer_arns:
        return _described(*where, "unused", "Target.NotInUse")
    if reachable(ground, ec2, group, target):
        return _described(*where, "healthy", "")
    return _described(*where, "unhealthy", "Target.Timeout")


def _described(
    target_id: str, port: int | str, group: Any, state: str, reason: str
) -> dict[str, Any]:
    health = {"State": state, **({"Reason": reason} if reason else {})}
    return {
        "Target": {"Id": target_id, "Port": int(port)},
        "HealthCheckPort": str(group.port),
        "TargetHealth": health,
    }


def _target_group(ground: Ground, asked: Asked) -> Any:
    groups = ground.elbv2(asked.account, asked.region).target_groups
    group = groups.get(asked.params["TargetGroupArn"])
    if group is None:
        raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    return group


CORRECTIONS: Corrections = {
    ("elbv2", "DeregisterTargets"): deregister,
    ("elbv2", "RegisterTargets"): register,
    ("elbv2", "DescribeTargetHealth"): health,
}
