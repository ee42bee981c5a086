"""Cut an instance off the network without stopping it, so that memory and disks survive."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from actions.action import Foreseen, Lens
from actions.aws import own_group
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.aws.own_group import V4, V6
from actions.journal import Json, State
from actions.permission import Permission

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import NetworkInterfaceTypeDef, SecurityGroupTypeDef

TAG = "stanch:quarantine"


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
        # By id the rules are authorized too; without the group's statement this allows nothing.
        Permission(
            "ec2:RevokeSecurityGroupEgress",
            "arn:{partition}:ec2:{region}:{account}:security-group-rule/*",
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
        state: dict[str, Json] = {f"group/{vpc}": own_group.state(p, g) for vpc, g in ours.items()}
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
        vpc = own_group.vpc_of(self._nics(p), name)
        own_group.put(p, name, value, {self.name: self._group(p, vpc)})

    def foresee(self, p: Aws, before: State) -> Foreseen:
        cut = len([k for k in before if k.startswith("groups/")])
        return Foreseen(
            blast=(f"{cut} network interfaces lose all traffic, management agents included",),
            lost=("the quarantine group's id (a new one is issued if isolated again)",),
        )

    def _nics(self, p: Aws) -> "list[NetworkInterfaceTypeDef]":
        describe(p, self.host)
        return own_group.interfaces(p, self.host)

    def _group(self, p: Aws, vpc: str) -> "SecurityGroupTypeDef | None":
        return own_group.find(p, vpc, self.name, TAG, self.host)

    def _write_group(self, p: Aws, vpc: str, value: Json) -> None:
        group = self._group(p, vpc)
        if value is None:
            if group:
                p.ec2.delete_security_group(GroupId=group["GroupId"])
            return
        what = "Stanch quarantine: no traffic"
        made = group["GroupId"] if group else ""
        made = made or own_group.make(p, vpc, self.name, TAG, self.host, what)
        # By rule id, so that v4 and v6 go alike and nothing needs to be spelled again.
        out = [r["SecurityGroupRuleId"] for r in own_group.listed(p, made) if r["IsEgress"]]
        if out:
            p.ec2.revoke_security_group_egress(GroupId=made, SecurityGroupRuleIds=out)
