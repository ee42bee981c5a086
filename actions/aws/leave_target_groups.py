"""Take a host out of the load balancers' target groups, so that no user meets it any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from actions.action import Foreseen, Lens
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.aws.own_group import interfaces
from actions.aws.target_groups import groups, targets
from actions.journal import Json, State
from actions.permission import Permission

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import (
        TargetDescriptionTypeDef,
        TargetHealthDescriptionTypeDef,
    )

GROUPS = "arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/*"


@dataclass(frozen=True)
class LeaveTargetGroups(Lens[Aws]):
    """Deregister the host, by instance id and by any of its addresses, from every target group.

    State: `target/<target group ARN>/<instance id or address>/<port>` is {"port": n, "zone":
    name or None, "health": state}, or None; health changes by itself, so it is not compared.
    A draining target counts as gone: it gets no new connections (ELBv2 API reference,
    "DeregisterTargets"). Searched are the target groups of the host's VPCs.
    """

    host: Instance

    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission("ec2:DescribeNetworkInterfaces"),
        Permission("elasticloadbalancing:DescribeTargetGroups"),
        Permission("elasticloadbalancing:DescribeTargetHealth"),
        Permission("elasticloadbalancing:RegisterTargets", GROUPS),
        Permission("elasticloadbalancing:DeregisterTargets", GROUPS),
    )

    @property
    def target(self) -> str:
        return self.host.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        describe(p, self.host)
        nics = interfaces(p, self.host)
        vpcs = {n["VpcId"] for n in nics}
        names = {self.host.instance_id}
        for n in nics:
            names |= {a["PrivateIpAddress"] for a in n["PrivateIpAddresses"]}
            names |= {a["Ipv6Address"] for a in n["Ipv6Addresses"]}
        state: dict[str, Json] = {}
        for group in groups(p, vpcs):
            for t in targets(p, group["TargetGroupArn"]):
                if t["Target"]["Id"] in names:
                    state[_key(group["TargetGroupArn"], t)] = _registered(t)
        return state

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before)

    def same(self, key: str, one: Json, other: Json) -> bool:
        if one is None or other is None:
            return one is other
        return bool((one["port"], one["zone"]) == (other["port"], other["zone"]))

    def write(self, p: Aws, key: str, value: Json) -> None:
        arn, name, port = key.removeprefix("target/").rsplit("/", 2)
        target: TargetDescriptionTypeDef = {"Id": name, "Port": int(port)}
        if value is None:
            p.elbv2.deregister_targets(TargetGroupArn=arn, Targets=[target])
            return
        if value["zone"]:
            target["AvailabilityZone"] = value["zone"]
        p.elbv2.register_targets(TargetGroupArn=arn, Targets=[target])

    def foresee(self, p: Aws, before: State) -> Foreseen:
        blast = []
        for arn in sorted(
            {k.removeprefix("target/").rsplit("/", 2)[0] for k, v in before.items() if v}
        ):
            left = [
                t
                for t in targets(p, arn)
                if t["TargetHealth"]["State"] == "healthy" and _key(arn, t) not in before
            ]
            blast.append(f"{arn.rsplit('/', 2)[1]} keeps {len(left)} healthy targets")
        return Foreseen(
            tuple(blast),
            ("health is checked anew when the host comes back; until then it gets no requests",),
        )


def _key(arn: str, t: "TargetHealthDescriptionTypeDef") -> str:
    return f"target/{arn}/{t['Target']['Id']}/{t['Target']['Port']}"


def _registered(t: "TargetHealthDescriptionTypeDef") -> Json:
    health = t["TargetHealth"]
    if health["State"] == "draining" or health.get("Reason") == "Target.NotRegistered":
        return None
    return {
        "port": t["Target"]["Port"],
        "zone": t["Target"].get("AvailabilityZone"),
        "health": health["State"],
    }
