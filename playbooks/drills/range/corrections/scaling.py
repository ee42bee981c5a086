"""Scaling groups keep their size the way AWS does: standby, bounds, replacements, processes.

AWS: EnterStandby: with ShouldDecrementDesiredCapacity the group may not fall below MinSize
(ValidationError); without it "the Auto Scaling group launches a replacement"; instances in standby
leave the load balancer and are not health-checked. AWS: ExitStandby: raises the desired capacity,
not above MaxSize, and registers again. AWS: Suspend and resume processes: Launch, Terminate,
AddToLoadBalancer. moto checks no bound, registers standby instances, gives replacements no
instance profile, and picks them in hash order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup

from playbooks.drills.range.corrections import load_balancing
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

_replace = FakeAutoScalingGroup.replace_autoscaling_group_instances


def mend() -> None:
    """Put moto's own resizing right; every path of its code goes through these."""
    group: Any = FakeAutoScalingGroup
    backend: Any = AutoScalingBackend
    group.set_desired_capacity = _set_desired
    group.replace_autoscaling_group_instances = _launch
    backend.update_attached_target_groups = _register
    backend.notify_terminate_instances = _terminated


def _set_desired(group: Any, wanted: int | None) -> None:
    group.desired_capacity = group.min_size if wanted is None else int(wanted)
    balance(group)


def balance(group: Any) -> None:
    """Launch or terminate until the instances in service are as many as desired."""
    active = group.active_instances()
    missing = (group.desired_capacity or 0) - len(active)
    if missing > 0 and "Launch" not in suspended(group):
        group.replace_autoscaling_group_instances(missing, group.get_propagated_tags())
    if missing < 0 and "Terminate" not in suspended(group):
        # AWS's default policy takes the oldest; scale-in protection exempts.
        free = [s for s in active if not s.protected_from_scale_in][:-missing]
        end(group, [s.instance.id for s in free])
    # A group under construction is not yet known to its backend.
    if group.name in group.autoscaling_backend.autoscaling_groups:
        group.autoscaling_backend.update_attached_target_groups(group.name)


def end(group: Any, instance_ids: list[str]) -> None:
    """Terminate as the group does: no API protection stops it (AWS: Termination protection)."""
    backend = group.autoscaling_backend
    group.instance_states = [s for s in group.instance_states if s.instance.id not in instance_ids]
    backend.elbv2_backend.notify_terminate_instances(instance_ids)
    for instance_id in instance_ids:
        backend.ec2_backend.get_instance(instance_id).terminate()


def _launch(group: Any, count: int, tags: dict[str, str]) -> None:
    _replace(group, count, tags)
    template = group.ec2_launch_template
    data = template.get_version(group.launch_template_version).data if template else {}
    config = group.launch_config
    profile = data.get("IamInstanceProfile") or {}
    named = config.iam_instance_profile if config and not template else None
    if named:
        profile = {"Arn": named} if named.startswith("arn:") else {"Name": named}
    ec2 = group.autoscaling_backend.ec2_backend
    for state in group.instance_states[-count:]:
        if profile and state.instance.id not in ec2.iam_instance_profile_associations:
            ec2.associate_iam_instance_profile(
                instance_id=state.instance.id,
                iam_instance_profile_name=profile.get("Name"),
                iam_instance_profile_arn=profile.get("Arn"),
            )


def _terminated(backend: Any, instance_ids: list[str]) -> None:
    for group in backend.autoscaling_groups.values():
        ours = [s for s in group.instance_states if s.instance.id in instance_ids]
        group.instance_states = [s for s in group.instance_states if s not in ours]
        if ours and not suspended(group) & {"HealthCheck", "ReplaceUnhealthy"}:
            balance(group)


def suspended(group: Any) -> set[str]:
    """The names of a group's suspended processes."""
    return {p["ProcessName"] for p in group.suspended_processes}


def _register(backend: Any, group_name: str) -> None:
    group = backend.autoscaling_groups[group_name]
    if "AddToLoadBalancer" in suspended(group):
        return
    for arn in group.target_group_arns:
        targets = backend.elbv2_backend.target_groups[arn]
        for state in group.active_instances():
            if state.instance.id not in targets.targets and state.instance.state == "running":
                targets.register([{"Id": state.instance.id, "Port": targets.port}])


def enter(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """EnterStandby."""
    group, states = _members(ground, asked, "InService")
    decrement = asked.params["ShouldDecrementDesiredCapacity"]
    left = group.desired_capacity - len(states)
    if decrement and left < group.min_size:
        raise AwsError(
            "ValidationError",
            f"AutoScalingGroup {group.name} has min-size={group.min_size}, max-size="
            f"{group.max_size}, and desired-size={group.desired_capacity}. To place into standby "
            f"{len(states)} instance, please update the AutoScalingGroup sizes appropriately.",
        )
    for state in states:
        state.lifecycle_state = "Standby"
        for arn in group.target_group_arns:
            load_balancing.leave(ground, asked.account, asked.region, arn, state.instance.id)
    if decrement:
        group.desired_capacity = left
    else:
        balance(group)
    return _activities(ground, group, states, "Moving EC2 instance to Standby")


def leave(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """ExitStandby."""
    group, states = _members(ground, asked, "Standby")
    wanted = group.desired_capacity + len(states)
    if wanted > group.max_size:
        raise AwsError(
            "ValidationError",
            f"AutoScalingGroup {group.name} has min-size={group.min_size}, max-size="
            f"{group.max_size}, and desired-size={group.desired_capacity}. To move out of standby "
            f"{len(states)} instance, please update the AutoScalingGroup sizes appropriately.",
        )
    group.desired_capacity = wanted
    for state in states:
        state.lifecycle_state = "InService"
        state.health_status = "Healthy"
        ground.kept.back_in_service[state.instance.id] = ground.seconds()
    group.autoscaling_backend.update_attached_target_groups(group.name)
    return _activities(ground, group, states, "Moving EC2 instance out of Standby")


def _members(ground: Ground, asked: Asked, lifecycle: str) -> tuple[Any, list[Any]]:
    name = asked.params["AutoScalingGroupName"]
    group = ground.autoscaling(asked.account, asked.region).autoscaling_groups.get(name)
    if group is None:
        raise AwsError("ValidationError", f"Group {name} not found")
    states = []
    for instance_id in asked.params.get("InstanceIds", []):
        state = next((s for s in group.instance_states if s.instance.id == instance_id), None)
        if state is None:
            raise AwsError(
                "ValidationError",
                f"The instance {instance_id} is not part of Auto Scaling group {name}.",
            )
        if state.lifecycle_state != lifecycle:
            raise AwsError("ValidationError", f"The instance {instance_id} is not in {lifecycle}.")
        states.append(state)
    return group, states


def _activities(ground: Ground, group: Any, states: list[Any], what: str) -> dict[str, Any]:
    return {
        "Activities": [
            {
                "ActivityId": str(ground.uuid()),
                "AutoScalingGroupName": group.name,
                "Description": f"{what}: {state.instance.id}",
                "Cause": f"At {ground.now().isoformat()} a user request was received.",
                "StartTime": ground.now(),
                "StatusCode": "InProgress",
                "Progress": 50,
                "Details": "{}",
            }
            for state in states
        ]
    }


def resize(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """SetDesiredCapacity within the group's bounds."""
    name = asked.params["AutoScalingGroupName"]
    group = ground.autoscaling(asked.account, asked.region).autoscaling_groups.get(name)
    if group is None:
        raise AwsError("ValidationError", "AutoScalingGroup name not found - null")
    wanted = asked.params["DesiredCapacity"]
    if not group.min_size <= wanted <= group.max_size:
        bound = f"above max value {group.max_size}"
        if wanted < group.min_size:
            bound = f"below min value {group.min_size}"
        raise AwsError(
            "ValidationError",
            f"New SetDesiredCapacity value {wanted} is {bound} for the AutoScalingGroup.",
        )
    return onward()


CORRECTIONS: Corrections = {
    ("autoscaling", "EnterStandby"): enter,
    ("autoscaling", "ExitStandby"): leave,
    ("autoscaling", "SetDesiredCapacity"): resize,
}
