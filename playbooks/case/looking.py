"""Looks at a target for the guard: its tags, what hangs on it, and whom it serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws.clients import Aws
from actions.aws.iam_target import find
from actions.aws.instance import Instance, describe
from actions.aws.principal import Principal
from actions.aws.target_groups import Serving, serving
from actions.engine import calling

# What the guard calls, beside what the acts do themselves; CloudTrail says who set a tag.
PERMISSIONS = (
    "cloudtrail:LookupEvents",
    "ec2:DescribeInstances",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "iam:GetRole",
    "iam:GetUser",
)
# Set by EC2 Auto Scaling; nobody else can set a tag that begins with aws: (Amazon EC2 User Guide,
# "Tag restrictions").
GROUP_TAG = "aws:autoscaling:groupName"


@dataclass(frozen=True, slots=True)
class Seen:
    """A target's tags; the ids of its volumes and interfaces and its addresses, which acting on it
    touches too; and the target groups that it is a healthy target of, where that was asked, or
    why they could not be read."""

    tags: Mapping[str, str]
    parts: frozenset[str]
    serving: tuple[Serving, ...] = ()
    unread: str = ""


def is_host(target: str) -> bool:
    """Return whether a target place/region/id is an EC2 instance."""
    return target.split("/", 2)[2].startswith("i-")


def look(provider: Any, target: str) -> Seen:
    """Return what is seen of a target place/region/id. Raise TargetGoneError, ProviderError.

    Of what is neither a host nor a principal nothing is read: its act reads it.
    """
    kind, _, name = target.split("/", 2)[2].partition("/")
    if is_host(target):
        return _host(provider, Instance(*target.split("/", 2)))
    if isinstance(provider, Aws) and kind in ("user", "role"):
        who = Principal(provider.account, "role" if kind == "role" else "user", name)
        return calling(provider, lambda: _principal(provider, who))
    return Seen({}, frozenset())


def _principal(aws: Aws, who: Principal) -> Seen:
    found = find(aws, who)
    tags = found.answer[who.kind.capitalize()].get("Tags", [])
    return Seen({t["Key"]: t["Value"] for t in tags}, frozenset({found.arn, found.unique_id}))


def _host(aws: Aws, host: Instance) -> Seen:
    found = calling(aws, lambda: describe(aws, host))
    parts = {m["Ebs"]["VolumeId"] for m in found.get("BlockDeviceMappings", []) if "Ebs" in m}
    parts |= {str(found.get(k, "")) for k in ("PrivateDnsName", "PublicDnsName", "PublicIpAddress")}
    for nic in found.get("NetworkInterfaces", []):
        parts.add(nic["NetworkInterfaceId"])
        parts |= {a["PrivateIpAddress"] for a in nic.get("PrivateIpAddresses", [])}
        parts |= {a["Ipv6Address"] for a in nic.get("Ipv6Addresses", [])}
    tags = {t["Key"]: t["Value"] for t in found.get("Tags", [])}
    return Seen(tags, frozenset(parts - {""}))


def service(aws: Any, target: str) -> tuple[Serving, ...]:
    """Return the target groups that a target account/region/id serves. Raises as `look` does."""
    host = Instance(*target.split("/", 2))
    return calling(aws, lambda: serving(aws, describe(aws, host)))
