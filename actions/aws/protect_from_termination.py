"""Keep a host and its disks from being terminated, stopped or deleted before they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen, Lens, Takes, Unseen
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.journal import Json, State
from actions.permission import Permission


@dataclass(frozen=True)
class ProtectFromTermination(Lens[Aws]):
    """Turn on every protection that EC2 has for an instance and its volumes.

    State: `terminate` and `stop` are booleans (DisableApiTermination, DisableApiStop), `shutdown`
    is what a shutdown from inside does ("stop" or "terminate"), `keep/<device>` is whether the
    EBS volume outlives the instance (the opposite of DeleteOnTermination).
    Not held off by this: an Auto Scaling group (see enter_standby), scheduled events and Spot
    reclaims (Amazon EC2 User Guide, "Change instance termination protection", "Enable stop
    protection for your EC2 instances").
    """

    host: Instance

    takes: ClassVar[Takes] = "nothing"
    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission(
            "ec2:DescribeInstanceAttribute", "arn:{partition}:ec2:{region}:{account}:instance/*"
        ),
        Permission(
            "ec2:ModifyInstanceAttribute", "arn:{partition}:ec2:{region}:{account}:instance/*"
        ),
        # DeleteOnTermination is authorized on the volume as well.
        Permission(
            "ec2:ModifyInstanceAttribute", "arn:{partition}:ec2:{region}:{account}:volume/*"
        ),
    )

    @property
    def target(self) -> str:
        return self.host.key

    def read(self, p: Aws) -> Mapping[str, Json | Unseen]:
        found = describe(p, self.host)
        state: dict[str, Json | Unseen] = {
            "terminate": _attribute(p, self.host, "disableApiTermination"),
            "stop": _attribute(p, self.host, "disableApiStop"),
            "shutdown": _attribute(p, self.host, "instanceInitiatedShutdownBehavior"),
        }
        if found.get("InstanceLifecycle") == "spot":
            for key in ("terminate", "stop"):
                state[key] = Unseen("AWS offers no such protection for Spot Instances")
        elif found.get("RootDeviceType") == "instance-store":
            for key in ("stop", "shutdown"):
                state[key] = Unseen("a host with an instance store root cannot be stopped")
        for device in found["BlockDeviceMappings"]:
            state[f"keep/{device['DeviceName']}"] = not device["Ebs"]["DeleteOnTermination"]
        return state

    def wanted(self, before: State) -> State:
        return {k: "stop" if k == "shutdown" else True for k in before}

    def write(self, p: Aws, key: str, value: Json) -> None:
        what: dict[str, Any]
        if key == "terminate":
            what = {"DisableApiTermination": {"Value": value}}
        elif key == "stop":
            what = {"DisableApiStop": {"Value": value}}
        elif key == "shutdown":
            what = {"InstanceInitiatedShutdownBehavior": {"Value": value}}
        else:
            device = {
                "DeviceName": key.removeprefix("keep/"),
                "Ebs": {"DeleteOnTermination": not value},
            }
            what = {"BlockDeviceMappings": [device]}
        # One attribute a call: ModifyInstanceAttribute takes no more.
        p.ec2.modify_instance_attribute(InstanceId=self.host.instance_id, **what)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        volumes = len([k for k in before if k.startswith("keep/")])
        blast = (f"{volumes} volumes stay, and are paid for, after the host is terminated",)
        if "terminate" in before:
            return Foreseen(blast)
        return Foreseen(blast, ("a Spot Instance can be reclaimed at any time: snapshot first",))


def _attribute(p: Aws, host: Instance, name: Any) -> Json:
    answer: Any = p.ec2.describe_instance_attribute(InstanceId=host.instance_id, Attribute=name)
    return answer[name[0].upper() + name[1:]]["Value"]
