"""What AWS does by itself as time passes: it checks health, and gets through what was begun.

AWS: Health checks for instances in an Auto Scaling group: an instance in service whose EC2 or (with
HealthCheckType ELB) load balancer check fails, after its grace period, is terminated and
replaced; standby instances are not checked; suspending HealthCheck, ReplaceUnhealthy or Terminate
stops it. Termination protection and scale-in protection do not (AWS: Use instance scale-in
protection: "does not protect from health check replacement").
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections import identity_center
from playbooks.drills.range.corrections.load_balancing import reachable
from playbooks.drills.range.corrections.scaling import balance, end, suspended

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground

STOPS_REPLACEMENT = {"HealthCheck", "ReplaceUnhealthy", "Terminate"}


def let_pass(ground: Ground, seconds: float) -> None:
    """Move the clock on, let scaling groups look at their hosts, and be through what was begun."""
    groups = list(ground.autoscaling().autoscaling_groups.values())
    for group in groups:
        _note_failures(ground, group)
    ground.offset += seconds
    for group in groups:
        _note_failures(ground, group)
        _replace_failed(ground, group)
    identity_center.settle(ground)


def _note_failures(ground: Ground, group: Any) -> None:
    for state in group.active_instances():
        instance_id = state.instance.id
        if _healthy(ground, group, state):
            ground.kept.failing.pop(instance_id, None)
        else:
            ground.kept.failing.setdefault(instance_id, ground.seconds())


def _healthy(ground: Ground, group: Any, state: Any) -> bool:
    if state.health_status != "Healthy" or state.instance.state != "running":
        return False
    if group.health_check_type != "ELB":
        return True
    target_groups = ground.elbv2().target_groups
    registered = [
        (target_groups[arn], target_groups[arn].targets[state.instance.id])
        for arn in group.target_group_arns
        if state.instance.id in target_groups[arn].targets
    ]
    return all(reachable(ground, ground.ec2(), *pair) for pair in registered)


def _replace_failed(ground: Ground, group: Any) -> None:
    if suspended(group) & STOPS_REPLACEMENT:
        return
    failed = [s for s in group.active_instances() if _due(ground, group, s)]
    if failed:
        for state in failed:
            state.health_status = "Unhealthy"
            ground.kept.failing.pop(state.instance.id, None)
        end(group, [s.instance.id for s in failed])
        balance(group)


def _due(ground: Ground, group: Any, state: Any) -> bool:
    since = ground.kept.failing.get(state.instance.id)
    if since is None:
        return False
    started = state.instance.launch_time.replace(tzinfo=UTC).timestamp()
    started = max(started, ground.kept.back_in_service.get(state.instance.id, started))
    grace_over = ground.seconds() >= started + float(group.health_check_grace_period or 0)
    return grace_over and ground.seconds() - since >= _patience(ground, group)


def _patience(ground: Ground, group: Any) -> float:
    """How long a check must fail before it counts: interval x unhealthy threshold."""
    target_groups = ground.elbv2().target_groups
    return max(
        (
            float(target_groups[arn].health_check_interval_seconds)
            * float(target_groups[arn].unhealthy_threshold_count)
            for arn in group.target_group_arns
            if group.health_check_type == "ELB"
        ),
        default=60.0,
    )
