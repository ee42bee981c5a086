"""Load balancers' target groups as they are read: what is registered there, and how healthy."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef
    from mypy_boto3_elbv2.type_defs import TargetGroupTypeDef, TargetHealthDescriptionTypeDef

    from actions.aws.clients import Aws


@dataclass(frozen=True, slots=True)
class Serving:
    """One target group that a host is healthy in: its ids there, and those of healthy others."""

    arn: str
    mine: frozenset[str]
    others: frozenset[str]


def groups(p: "Aws", vpcs: Iterable[str]) -> "Iterator[TargetGroupTypeDef]":
    """Yield the target groups of these VPCs that a host can be registered in."""
    known = set(vpcs)
    for page in p.elbv2.get_paginator("describe_target_groups").paginate():
        for group in page["TargetGroups"]:
            if group.get("VpcId") in known and group["TargetType"] in ("instance", "ip"):
                yield group


def targets(p: "Aws", arn: str) -> "list[TargetHealthDescriptionTypeDef]":
    """Return DescribeTargetHealth's answer for one target group."""
    return p.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]


def serving(p: "Aws", host: "InstanceTypeDef") -> tuple[Serving, ...]:
    """Return the target groups that a host, as `describe` gave it, is a healthy target of."""
    nics = host.get("NetworkInterfaces", [])
    names = {host["InstanceId"]}
    for nic in nics:
        names |= {a["PrivateIpAddress"] for a in nic.get("PrivateIpAddresses", [])}
        names |= {a["Ipv6Address"] for a in nic.get("Ipv6Addresses", [])}
    found = []
    for group in groups(p, {n["VpcId"] for n in nics}):
        arn = group["TargetGroupArn"]
        healthy = {
            t["Target"]["Id"] for t in targets(p, arn) if t["TargetHealth"]["State"] == "healthy"
        }
        if mine := healthy & names:
            found.append(Serving(arn, frozenset(mine), frozenset(healthy - names)))
    return tuple(found)
