"""Make a host's Auto Scaling group let go of it, so that a health check cannot end the evidence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from actions.action import Foreseen, Lens
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.errors import ProviderError, UnfitError
from actions.journal import Json, State
from actions.permission import Permission

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef

GROUPS = "arn:{partition}:autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/*"
COMING = ("Pending", "Pending:Wait", "Pending:Proceed")


@dataclass(frozen=True)
class EnterStandby(Lens[Aws]):
    """Put the host into standby; the group's desired capacity stays, so it launches another.

    State: `lifecycle/<group>` is {"state": lifecycle state, "min", "max", "desired": sizes,
    "members": instance ids}, of which the state is compared; `size/<group>` is {"min", "max",
    "desired"}, which is declared for the way back alone, as a group may scale while the host is
    away. Both are missing when the host is in no group, and then nothing is written.
    The way back ends the instance that took the host's place, so that desired falls by one, and
    then ExitStandby raises desired to what it was; while the host is still in standby, the group
    cannot pick it, and max is never exceeded. Min is lowered for that where it must be, and put
    back (Amazon EC2 Auto Scaling User Guide, "Temporarily remove instances from your Auto Scaling
    group"; API reference, "TerminateInstanceInAutoScalingGroup").
    """

    host: Instance

    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission("autoscaling:DescribeAutoScalingInstances"),
        Permission("autoscaling:DescribeAutoScalingGroups"),
        Permission("autoscaling:EnterStandby", GROUPS),
        Permission("autoscaling:ExitStandby", GROUPS),
        Permission("autoscaling:TerminateInstanceInAutoScalingGroup", GROUPS),
        Permission("autoscaling:UpdateAutoScalingGroup", GROUPS),
    )

    @property
    def target(self) -> str:
        return self.host.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        describe(p, self.host)
        found = p.autoscaling.describe_auto_scaling_instances(InstanceIds=[self.host.instance_id])[
            "AutoScalingInstances"
        ]
        state: dict[str, Json] = {}
        for member in found:
            name = member["AutoScalingGroupName"]
            group = _group(p, name)
            sizes = _sizes(group)
            state[f"lifecycle/{name}"] = {
                "state": member["LifecycleState"],
                **sizes,
                "members": sorted(i["InstanceId"] for i in group["Instances"]),
            }
            state[f"size/{name}"] = sizes
        return state

    def wanted(self, before: State) -> State:
        return {
            k: {**v, "state": "Standby"} for k, v in before.items() if k.startswith("lifecycle/")
        }

    def transit(self, before: State) -> Mapping[str, Iterable[Json]]:
        return {k: [{"state": s} for s in COMING] for k in before if k.startswith("lifecycle/")}

    def same(self, key: str, one: Json, other: Json) -> bool:
        if one is None or other is None or key.startswith("size/"):
            return bool(one == other)
        return _settled(one["state"]) == _settled(other["state"])

    def write(self, p: Aws, key: str, value: Json) -> None:
        name = key.removeprefix("lifecycle/")
        member: Any = self.read(p).get(key)
        if member is None:
            raise UnfitError(
                f"{self.host.instance_id} is not in Auto Scaling group {name} any more. Look at "
                "who detached it (CloudTrail); if it is to go back, attach it by hand."
            )
        if value["state"] == "Standby":
            # From Pending it cannot go into standby; a way back under way is left to arrive.
            if member["state"] == "InService":
                p.autoscaling.enter_standby(
                    AutoScalingGroupName=name,
                    InstanceIds=[self.host.instance_id],
                    ShouldDecrementDesiredCapacity=False,
                )
            return
        if member["state"] == "EnteringStandby":
            raise _not_yet("ExitStandby", f"{self.host.instance_id} is still entering standby")
        if member["state"] == "Standby":
            self._leave(p, name, value, member)
        self._restore_min(p, name, value)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        blast, lost = [], []
        for key, member in before.items():
            if not key.startswith("lifecycle/"):
                continue
            name = key.removeprefix("lifecycle/")
            if _settled(member["state"]) not in ("InService", "Standby"):
                raise UnfitError(
                    f"{self.host.instance_id} is {member['state']} in Auto Scaling group {name}; "
                    "standby can be entered from InService only. Enter the play again in a minute."
                )
            group = _group(p, name)
            stopped = sorted(s["ProcessName"] for s in group.get("SuspendedProcesses", []))
            if "Launch" in stopped:
                blast.append(f"{name} has Launch suspended, so it runs one instance short")
            else:
                blast.append(
                    f"{name} launches a replacement from {_source(group)}, which may be "
                    "compromised too if the image or its start-up script is"
                )
            if stopped:
                blast.append(f"{name} has these processes suspended: {', '.join(stopped)}")
            lost.append(f"when the host comes back, {name} ends the instance that took its place")
        return Foreseen(tuple(blast), tuple(lost))

    def _leave(self, p: Aws, name: str, value: Json, now: Json) -> None:
        room = value["desired"] - 1
        least = min(value["min"], room)
        half = {**value, "min": least, "desired": room}
        if any(now[k] not in (value[k], half[k]) for k in ("min", "max", "desired")):
            raise UnfitError(
                f"Auto Scaling group {name} was changed meanwhile: min, max, desired were "
                f"{value['min']}, {value['max']}, {value['desired']}, and are {now['min']}, "
                f"{now['max']}, {now['desired']}. Set them back, or take the host out of standby "
                "by hand (ExitStandby raises desired by one)."
            )
        if now["min"] > least:
            p.autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=least)
        if now["desired"] > room:
            _end_one(p, name, room, value["members"])
        p.autoscaling.exit_standby(AutoScalingGroupName=name, InstanceIds=[self.host.instance_id])

    def _restore_min(self, p: Aws, name: str, value: Json) -> None:
        now = _sizes(_group(p, name))
        if now["min"] == value["min"]:
            return
        if now["desired"] < value["min"]:
            # A min above desired would raise desired as well, and then by one too many.
            raise _not_yet("UpdateAutoScalingGroup", f"{name} does not count the host yet")
        p.autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=value["min"])


def _end_one(p: Aws, name: str, room: int, members: list[str]) -> None:
    came = [
        i["InstanceId"]
        for i in _group(p, name)["Instances"]
        if i["InstanceId"] not in members and i["LifecycleState"] in ("InService", *COMING)
    ]
    if came:
        p.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=came[0], ShouldDecrementDesiredCapacity=True
        )
    else:  # nothing took its place, so nothing has to go for it
        p.autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, DesiredCapacity=room)


def _settled(state: str) -> str:
    # The group has let go: what is left of EnteringStandby is connection draining, 300 s by
    # default, and isolation must not wait for that.
    return "Standby" if state == "EnteringStandby" else state


def _group(p: Aws, name: str) -> "AutoScalingGroupTypeDef":
    return p.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
        "AutoScalingGroups"
    ][0]


def _sizes(group: "AutoScalingGroupTypeDef") -> dict[str, int]:
    return {
        "min": group["MinSize"],
        "max": group["MaxSize"],
        "desired": group["DesiredCapacity"],
    }


def _source(group: "AutoScalingGroupTypeDef") -> str:
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    template: Any = group.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification")
    if template:
        return f"launch template {template['LaunchTemplateName']} ({template['Version']})"
    return f"launch configuration {group.get('LaunchConfigurationName', 'unknown')}"


def _not_yet(operation: str, why: str) -> ProviderError:
    return ProviderError(operation, "ScalingActivityInProgress", why, passing=True)
