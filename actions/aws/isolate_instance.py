"""Cut an instance off the network without stopping it, so that memory and disks survive."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from actions.action import Foreseen, Lens
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.errors import UnfitError
from actions.journal import Json, State
from actions.permission import Permission

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import SecurityGroupTypeDef

V4 = "0.0.0.0/0"
V6 = "::/0"


@dataclass(frozen=True)
class IsolateInstance(Lens[Aws]):
    """Move every interface of the host into a quarantine group of its own, without any rule.

    State: `group/<vpc>` is None or the rules {"in": [...], "out": [...]} of the quarantine group;
    `groups/<eni>` is the interface's list of groups, the quarantine group by its name. Groups are
    compared as sets (AWS keeps no order) and restored in the order that was recorded.
    The VPC resolver, IMDS and time sync are not filtered by security groups, and established
    tracked flows live on (Amazon EC2 User Guide, "Security group connection tracking").
    """

    host: Instance

    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission("ec2:DescribeNetworkInterfaces"),
        Permission("ec2:DescribeSecurityGroups"),
        Permission("ec2:DescribeSecurityGroupRules"),
        Permission(
            "ec2:CreateSecurityGroup", "arn:{partition}:ec2:{region}:{account}:security-group/*"
        ),
        Permission("ec2:CreateSecurityGroup", "arn:{partition}:ec2:{region}:{account}:vpc/*"),
        Permission(
            "ec2:CreateTags",
            "arn:{partition}:ec2:{region}:{account}:security-group/*",
            {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}},
        ),
        Permission(
            "ec2:RevokeSecurityGroupEgress",
            "arn:{partition}:ec2:{region}:{account}:security-group/*",
            {"Null": {"aws:ResourceTag/stanch:quarantine": "false"}},
        ),
        Permission(
            "ec2:DeleteSecurityGroup",
            "arn:{partition}:ec2:{region}:{account}:security-group/*",
            {"Null": {"aws:ResourceTag/stanch:quarantine": "false"}},
        ),
        Permission(
            "ec2:ModifyNetworkInterfaceAttribute",
            "arn:{partition}:ec2:{region}:{account}:network-interface/*",
        ),
        Permission(
            "ec2:ModifyNetworkInterfaceAttribute",
            "arn:{partition}:ec2:{region}:{account}:security-group/*",
        ),
    )

    @property
    def target(self) -> str:
        return self.host.key

    @property
    def name(self) -> str:
        """Return the quarantine group's name: one a target, so no two hosts can meet in it."""
        return f"stanch-quarantine-{self.host.instance_id}"

    def read(self, p: Aws) -> Mapping[str, Json]:
        nics = self._nics(p)
        ours = {vpc: self._group(p, vpc) for vpc in sorted({n["VpcId"] for n in nics})}
        named = {g["GroupId"]: g["GroupName"] for g in ours.values() if g}
        state: dict[str, Json] = {
            f"group/{vpc}": _rules(p, g["GroupId"]) if g else None for vpc, g in ours.items()
        }
        for n in nics:
            state[f"groups/{n['NetworkInterfaceId']}"] = [
                named.get(g["GroupId"], g["GroupId"]) for g in n["Groups"]
            ]
        return state

    def wanted(self, before: State) -> State:
        return {k: {"in": [], "out": []} if k.startswith("group/") else [self.name] for k in before}

    def transit(self, before: State) -> Mapping[str, Iterable[Json]]:
        # CreateSecurityGroup allows all egress, v6 too where the VPC has v6; a crash may leave it.
        born = ([V4], [V6], [V4, V6])
        return {
            k: [{"in": [], "out": out} for out in born] for k in before if k.startswith("group/")
        }

    def same(self, key: str, one: Json, other: Json) -> bool:
        if key.startswith("groups/") and one is not None and other is not None:
            return set(one) == set(other)
        return bool(one == other)

    def write(self, p: Aws, key: str, value: Json) -> None:
        kind, _, name = key.partition("/")
        if kind == "group":
            self._write_group(p, name, value)
            return
        vpc = next(n["VpcId"] for n in self._nics(p) if n["NetworkInterfaceId"] == name)
        ours = self._group(p, vpc)
        ids = [ours["GroupId"] if ours and g == self.name else g for g in value]
        # Per interface: ModifyInstanceAttribute fails on a host with more than one.
        p.ec2.modify_network_interface_attribute(NetworkInterfaceId=name, Groups=ids)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        cut = len([k for k in before if k.startswith("groups/")])
        return Foreseen(
            blast=(f"{cut} network interfaces lose all traffic, management agents included",),
            lost=("the quarantine group's id (a new one is issued if isolated again)",),
        )

    def _nics(self, p: Aws) -> list[Any]:
        describe(p, self.host)
        pages = p.ec2.get_paginator("describe_network_interfaces").paginate(
            Filters=[{"Name": "attachment.instance-id", "Values": [self.host.instance_id]}]
        )
        nics = [n for page in pages for n in page["NetworkInterfaces"]]
        return sorted(nics, key=lambda n: n["NetworkInterfaceId"])

    def _group(self, p: Aws, vpc: str) -> "SecurityGroupTypeDef | None":
        found = p.ec2.describe_security_groups(
            Filters=[
                {"Name": "vpc-id", "Values": [vpc]},
                {"Name": "group-name", "Values": [self.name]},
            ]
        )["SecurityGroups"]
        if not found:
            return None
        tags = {t["Key"]: t["Value"] for t in found[0].get("Tags", [])}
        if tags.get("stanch:quarantine") != self.host.instance_id:
            raise UnfitError(
                f"a group called {self.name} exists in {vpc} without Stanch's tag "
                "stanch:quarantine: somebody else made it. Look at it, then delete or rename it."
            )
        return found[0]

    def _write_group(self, p: Aws, vpc: str, value: Json) -> None:
        group = self._group(p, vpc)
        if value is None:
            if group:
                p.ec2.delete_security_group(GroupId=group["GroupId"])
            return
        if group is None:
            tags: Any = [
                {
                    "ResourceType": "security-group",
                    "Tags": [{"Key": "stanch:quarantine", "Value": self.host.instance_id}],
                }
            ]
            made = p.ec2.create_security_group(
                GroupName=self.name,
                Description="Stanch quarantine: no traffic",
                VpcId=vpc,
                TagSpecifications=tags,
            )["GroupId"]
        else:
            made = group["GroupId"]
        # By rule id, so that v4 and v6 go alike and nothing needs to be spelled again.
        out = [r["SecurityGroupRuleId"] for r in _listed(p, made) if r["IsEgress"]]
        if out:
            p.ec2.revoke_security_group_egress(GroupId=made, SecurityGroupRuleIds=out)


def _listed(p: Aws, group_id: str) -> list[Any]:
    pages = p.ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group_id]}]
    )
    return [r for page in pages for r in page["SecurityGroupRules"]]


def _rules(p: Aws, group_id: str) -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {"in": [], "out": []}
    for r in _listed(p, group_id):
        peer = r.get("CidrIpv4") or r.get("CidrIpv6") or str(r.get("ReferencedGroupInfo", "other"))
        rules["out" if r["IsEgress"] else "in"].append(peer)
    return {way: sorted(peers) for way, peers in rules.items()}
