"""Open a cut-off host to everybody for a minute, so that its tracked connections can be cut."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, ClassVar

from actions.action import Foreseen, Lens, Via
from actions.aws import own_group
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.aws.isolate_instance import TAG as QUARANTINE
from actions.aws.isolate_instance import IsolateInstance
from actions.aws.own_group import V4, V6
from actions.errors import UnfitError
from actions.journal import Json, State
from actions.permission import Permission

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import IpPermissionTypeDef, SecurityGroupTypeDef

TAG = "stanch:conversion"
OURS = {"Null": {"aws:ResourceTag/stanch:conversion": "false"}}
ANY = "arn:{partition}:ec2:{region}:{account}:security-group/*"


@dataclass(frozen=True)
class ConvertTrackedConnections(Lens[Aws]):
    """Pass an isolated host through an allow-all group of its own and back into quarantine.

    A connection that talks while its rules allow everything, v4 and v6, both ways, is tracked no
    longer, and ends when the rules go (Amazon EC2 User Guide, "Untracked connections"). One that
    is silent for the `dwell` (seconds) survives, as do those that AWS always tracks: NAT gateway,
    NLB, PrivateLink and others ("Automatically tracked connections").
    State: `groups/<eni>` is the interface's list of groups, our own by name; `group/convert-<vpc>`
    is None or the allow-all group's rules {"in": [...], "out": [...]}. Wanted is what was found;
    the allow-all group is passed through, and whatever ends half-way is finished, never left.
    """

    host: Instance
    dwell: int = 60

    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission("ec2:DescribeNetworkInterfaces"),
        Permission("ec2:DescribeSecurityGroups"),
        Permission("ec2:DescribeSecurityGroupRules"),
        Permission("ec2:CreateSecurityGroup", ANY),
        Permission("ec2:CreateSecurityGroup", "arn:{partition}:ec2:{region}:{account}:vpc/*"),
        Permission(
            "ec2:CreateTags", ANY, {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}}
        ),
        Permission("ec2:AuthorizeSecurityGroupIngress", ANY, OURS),
        Permission("ec2:AuthorizeSecurityGroupEgress", ANY, OURS),
        Permission("ec2:DeleteSecurityGroup", ANY, OURS),
        Permission(
            "ec2:ModifyNetworkInterfaceAttribute",
            "arn:{partition}:ec2:{region}:{account}:network-interface/*",
        ),
        Permission("ec2:ModifyNetworkInterfaceAttribute", ANY),
    )

    @property
    def target(self) -> str:
        return self.host.key

    @property
    def name(self) -> str:
        """Return the allow-all group's name: one a target, and never a shared group."""
        return f"stanch-convert-{self.host.instance_id}"

    @property
    def quarantine(self) -> str:
        """Return the name of the quarantine group that the host comes from and goes back to."""
        return IsolateInstance(self.host).name

    def read(self, p: Aws) -> Mapping[str, Json]:
        describe(p, self.host)
        nics = own_group.interfaces(p, self.host)
        state: dict[str, Json] = {}
        opened: dict[str, Json] = {}
        for vpc in sorted({n["VpcId"] for n in nics}):
            ours = self._ours(p, vpc)
            named = {g["GroupId"]: name for name, g in ours.items() if g}
            for n in (n for n in nics if n["VpcId"] == vpc):
                state[f"groups/{n['NetworkInterfaceId']}"] = [
                    named.get(g["GroupId"], g["GroupId"]) for g in n["Groups"]
                ]
            opened[f"group/convert-{vpc}"] = own_group.state(p, ours[self.name])
        return state | opened

    def wanted(self, before: State) -> State:
        # The interfaces first: a group in use cannot be deleted.
        back = {k: v for k, v in before.items() if k.startswith("groups/")}
        return back | {k: None for k in before if k not in back}

    def via(self, before: State) -> Via:
        born: dict[str, Json] = {k: _open() for k in before if k.startswith("group/")}
        return Via(
            born | {k: [self.name] for k in before if k.startswith("groups/")}, float(self.dwell)
        )

    def transit(self, before: State) -> Mapping[str, Iterable[Json]]:
        # Born with egress rules, opened by two calls: a crash may leave any part of it.
        some: list[list[str]] = [[], [V4], [V6], [V4, V6]]
        half = [{"in": come, "out": go} for come, go in product(some, some)]
        return {k: half for k in before if k.startswith("group/")}

    def same(self, key: str, one: Json, other: Json) -> bool:
        if key.startswith("groups/") and one is not None and other is not None:
            return set(one) == set(other)
        return bool(one == other)

    def write(self, p: Aws, key: str, value: Json) -> None:
        if key.startswith("group/"):
            self._write_group(p, key.removeprefix("group/convert-"), value)
            return
        eni = key.removeprefix("groups/")
        vpc = own_group.vpc_of(own_group.interfaces(p, self.host), eni)
        own_group.put(p, eni, value, self._ours(p, vpc))

    def foresee(self, p: Aws, before: State) -> Foreseen:
        if any(v != [self.quarantine] for k, v in before.items() if k.startswith("groups/")):
            raise UnfitError(
                f"{self.host.instance_id} is not isolated: opening it would only help whoever is "
                "on it. Isolate it first (isolate_instance); this is a step after that."
            )
        return Foreseen(
            blast=(
                f"DANGER: for {self.dwell:g} s every port of the host is open to and from the "
                "whole Internet, v4 and v6, as far as routes and network ACLs let it",
            ),
            lost=("connections that talk meanwhile (that is what it is for)",),
        )

    def _ours(self, p: Aws, vpc: str) -> "dict[str, SecurityGroupTypeDef | None]":
        return {
            self.name: own_group.find(p, vpc, self.name, TAG, self.host),
            self.quarantine: own_group.find(p, vpc, self.quarantine, QUARANTINE, self.host),
        }

    def _write_group(self, p: Aws, vpc: str, value: Json) -> None:
        group = own_group.find(p, vpc, self.name, TAG, self.host)
        if value is None:
            if group:
                p.ec2.delete_security_group(GroupId=group["GroupId"])
            return
        what = "Stanch conversion: all traffic, for a minute"
        made = group["GroupId"] if group else ""
        made = made or own_group.make(p, vpc, self.name, TAG, self.host, what)
        now = own_group.rules(p, made)
        if missing := [peer for peer in value["in"] if peer not in now["in"]]:
            p.ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[_all(missing)])
        if missing := [peer for peer in value["out"] if peer not in now["out"]]:
            p.ec2.authorize_security_group_egress(GroupId=made, IpPermissions=[_all(missing)])


def _open() -> dict[str, list[str]]:
    return {"in": [V4, V6], "out": [V4, V6]}


def _all(peers: list[str]) -> "IpPermissionTypeDef":
    return {
        "IpProtocol": "-1",
        "IpRanges": [{"CidrIp": peer} for peer in peers if ":" not in peer],
        "Ipv6Ranges": [{"CidrIpv6": peer} for peer in peers if ":" in peer],
    }
