"""End a host for good, once everything that is to be kept of it is kept."""

from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.errors import TargetGoneError
from actions.journal import State
from actions.one_way import OneWay, Result, Unknowable
from actions.permission import Permission


@dataclass(frozen=True)
class TerminateInstance(OneWay[Aws]):
    """Terminate the instance, lifting termination and stop protection first.

    The result is {"state": "shutting-down" or "terminated"}. Stop protection guards against
    termination too (Amazon EC2 User Guide, "Enable stop protection for your EC2 instances").
    About an hour after the end AWS forgets the instance; then whether it was this act that
    ended it cannot be told.
    """

    host: Instance

    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission(
            "ec2:DescribeInstanceAttribute", "arn:{partition}:ec2:{region}:{account}:instance/*"
        ),
        Permission(
            "ec2:ModifyInstanceAttribute", "arn:{partition}:ec2:{region}:{account}:instance/*"
        ),
        Permission("ec2:TerminateInstances", "arn:{partition}:ec2:{region}:{account}:instance/*"),
    )

    @property
    def target(self) -> str:
        return self.host.key

    def facts(self, p: Aws) -> Result:
        found = describe(p, self.host)
        return {
            "protected": [k for k, (_, on) in _protection(p, self.host).items() if on],
            "deleted": sorted(
                d["Ebs"]["VolumeId"]
                for d in found["BlockDeviceMappings"]
                if d["Ebs"]["DeleteOnTermination"]
            ),
        }

    def foresee(self, p: Aws, before: State) -> Foreseen:
        lifted = tuple(f"{name} is on and will be lifted" for name in before["protected"])
        deleted = tuple(f"volume {volume} is deleted with the host" for volume in before["deleted"])
        return Foreseen(
            blast=lifted,
            lost=("memory, instance store, and public address of the host", *deleted),
        )

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        for parameter, on in _protection(p, self.host).values():
            if on:
                what: Any = {parameter: {"Value": False}}
                p.ec2.modify_instance_attribute(InstanceId=self.host.instance_id, **what)
        p.ec2.terminate_instances(InstanceIds=[self.host.instance_id])

    def find(self, p: Aws, mark: str) -> Result | Unknowable | None:
        try:
            state = describe(p, self.host, gone=True)["State"]["Name"]
        except TargetGoneError as error:
            return Unknowable(str(error))
        return {"state": state} if state in ("shutting-down", "terminated") else None


def _protection(p: Aws, host: Instance) -> dict[str, tuple[str, bool]]:
    ends = p.ec2.describe_instance_attribute(
        InstanceId=host.instance_id, Attribute="disableApiTermination"
    )
    stops = p.ec2.describe_instance_attribute(
        InstanceId=host.instance_id, Attribute="disableApiStop"
    )
    return {
        "termination protection": (
            "DisableApiTermination",
            ends["DisableApiTermination"].get("Value", False),
        ),
        "stop protection": ("DisableApiStop", stops["DisableApiStop"].get("Value", False)),
    }
