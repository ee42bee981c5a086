"""A security group of Stanch's own, one a target, purpose and VPC: found, read, opened, removed."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from actions.errors import ProviderError, TargetGoneError, UnfitError

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import NetworkInterfaceTypeDef, SecurityGroupTypeDef

    from actions.aws.clients import Aws
    from actions.aws.instance import Instance

V4 = "0.0.0.0/0"
V6 = "::/0"


def interfaces(p: "Aws", host: "Instance") -> "list[NetworkInterfaceTypeDef]":
    """Return DescribeNetworkInterfaces' answer for every interface of the host, by id.

    Raises ProviderError, passing, when the answer names none.
    """
    pages = p.ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "attachment.instance-id", "Values": [host.instance_id]}]
    )
    found = [n for page in pages for n in page["NetworkInterfaces"]]
    if not found:
        # A host always has one. None to see means not yet to see; it never means nothing to do.
        raise ProviderError(
            "DescribeNetworkInterfaces",
            "NoInterfaceSeen",
            f"no interface of {host.instance_id} is in the answer; it is asked again",
            passing=True,
        )
    return sorted(found, key=lambda n: n["NetworkInterfaceId"])


def find(
    p: "Aws", vpc: str, name: str, tag: str, host: "Instance"
) -> "SecurityGroupTypeDef | None":
    """Return the group of that name, or None when there is none.

    Raises UnfitError when the name is taken by a group that is not tagged `tag` = host.
    """
    found = p.ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": [name]}]
    )["SecurityGroups"]
    if not found:
        return None
    tags = {t["Key"]: t["Value"] for t in found[0].get("Tags", [])}
    if tags.get(tag) != host.instance_id:
        raise UnfitError(
            f"a group called {name} exists in {vpc} without Stanch's tag {tag}: somebody else "
            "made it. Look at it, then delete or rename it."
        )
    return found[0]


def state(p: "Aws", group: "SecurityGroupTypeDef | None") -> dict[str, list[str]] | None:
    """Return the group's rules as `rules` gives them, or None when there is no group."""
    return rules(p, group["GroupId"]) if group else None


def vpc_of(nics: "Iterable[NetworkInterfaceTypeDef]", eni: str) -> str:
    """Return the interface's VPC. Raise TargetGoneError when it is not attached any more."""
    for n in nics:
        if n["NetworkInterfaceId"] == eni:
            return n["VpcId"]
    raise TargetGoneError(
        f"interface {eni} is not attached to the host any more. Look at who detached it "
        "(CloudTrail); it keeps the groups it had."
    )


def put(
    p: "Aws", eni: str, groups: Iterable[str], ours: "Mapping[str, SecurityGroupTypeDef | None]"
) -> None:
    """Put the interface into these groups: ids, or names of groups of ours.

    Raises a passing ProviderError while a group of ours is not there (yet), so that a throttled
    creation, or one that does not show yet, is waited for and not given up on.
    """
    ids = []
    for name in groups:
        group = ours.get(name)
        if name in ours and group is None:
            raise ProviderError(
                "ModifyNetworkInterfaceAttribute",
                "InvalidGroup.NotFound",
                f"{eni} waits for group {name}, which is not there yet",
                passing=True,
            )
        ids.append(group["GroupId"] if group else name)
    # Per interface: ModifyInstanceAttribute fails on a host with more than one.
    p.ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=ids)


def make(p: "Aws", vpc: str, name: str, tag: str, host: "Instance", what: str) -> str:
    """Create the tagged group and return its id. AWS gives it egress rules to everywhere."""
    return p.ec2.create_security_group(
        GroupName=name,
        Description=what,
        VpcId=vpc,
        TagSpecifications=[
            {
                "ResourceType": "security-group",
                "Tags": [{"Key": tag, "Value": host.instance_id}],
            }
        ],
    )["GroupId"]


def listed(p: "Aws", group_id: str) -> list[Any]:
    """Return DescribeSecurityGroupRules' answer for the group, all pages."""
    pages = p.ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group_id]}]
    )
    return [r for page in pages for r in page["SecurityGroupRules"]]


def rules(p: "Aws", group_id: str) -> dict[str, list[str]]:
    """Return {"in": [...], "out": [...]}: each rule's peer, with protocol and ports unless all.

    A rule for everything from everywhere reads as 0.0.0.0/0 or ::/0; one for HTTPS only as
    "0.0.0.0/0 tcp 443-443".
    """
    found: dict[str, list[str]] = {"in": [], "out": []}
    for r in listed(p, group_id):
        peer = (
            r.get("CidrIpv4")
            or r.get("CidrIpv6")
            or r.get("PrefixListId")
            or r.get("ReferencedGroupInfo", {}).get("GroupId", "other")
        )
        if r["IpProtocol"] != "-1":
            peer += f" {r['IpProtocol']} {r.get('FromPort')}-{r.get('ToPort')}"
        found["out" if r["IsEgress"] else "in"].append(peer)
    return {way: sorted(peers) for way, peers in found.items()}
