"""Ask for snapshots of all volumes of a host at one point in time, and do not wait for them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from actions.action import Foreseen, Takes
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.errors import UnfitError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.permission import Permission

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

MARK = "stanch:mark"


@dataclass(frozen=True)
class SnapshotVolumes(OneWay[Aws]):
    """Request one crash-consistent set of snapshots (EC2 API reference, "CreateSnapshots").

    The result is {"snapshots": [{"id": snap-..., "volume": vol-...}]}, and there is one only once
    every volume of the host is in it. Their content is as of the request; completion may take
    hours and is evidence's to follow.
    """

    host: Instance

    destroys: ClassVar = False
    takes: ClassVar[Takes] = "nothing"
    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission("ec2:DescribeSnapshots"),
        Permission("ec2:CreateSnapshots", "arn:{partition}:ec2:{region}:{account}:instance/*"),
        Permission("ec2:CreateSnapshots", "arn:{partition}:ec2:{region}:{account}:volume/*"),
        Permission("ec2:CreateSnapshots", "arn:{partition}:ec2:{region}::snapshot/*"),
        Permission(
            "ec2:CreateTags",
            "arn:{partition}:ec2:{region}::snapshot/*",
            {"StringEquals": {"ec2:CreateAction": "CreateSnapshots"}},
        ),
    )

    @property
    def target(self) -> str:
        return self.host.key

    def facts(self, p: Aws) -> Result:
        return {"volumes": _volumes(describe(p, self.host))}

    def foresee(self, p: Aws, before: State) -> Foreseen:
        if not before["volumes"]:
            raise UnfitError(
                f"{self.host.instance_id} has no EBS volume: its disks are instance store, which "
                "has no snapshots. Collect from the running host instead."
            )
        return Foreseen(
            blast=(f"{len(before['volumes'])} snapshots are kept and paid for",),
            lost=("instance store volumes and memory are not in a snapshot",),
        )

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        p.ec2.create_snapshots(
            InstanceSpecification={"InstanceId": self.host.instance_id},
            Description=f"Evidence of {self.host.instance_id}",
            TagSpecifications=[
                {
                    "ResourceType": "snapshot",
                    "Tags": [
                        {"Key": MARK, "Value": mark},
                        {"Key": "stanch:host", "Value": self.host.instance_id},
                    ],
                }
            ],
        )

    def find(self, p: Aws, mark: str) -> Result | None:
        pages = p.ec2.get_paginator("describe_snapshots").paginate(
            OwnerIds=["self"], Filters=[{"Name": f"tag:{MARK}", "Values": [mark]}]
        )
        made = sorted(
            (s["VolumeId"], s["SnapshotId"])
            for page in pages
            for s in page["Snapshots"]
            # If one of the set fails, AWS marks all of it so ("createSnapshots" event).
            if s["State"] != "error"
        )
        # A terminated host has no volumes left to compare with: what is there is what there is.
        missing = {*_volumes(describe(p, self.host, gone=True))} - {v for v, _ in made}
        if not made or missing:
            return None
        return {"snapshots": [{"id": snapshot, "volume": volume} for volume, snapshot in made]}


def _volumes(found: "InstanceTypeDef") -> list[str]:
    return sorted(d["Ebs"]["VolumeId"] for d in found["BlockDeviceMappings"])
