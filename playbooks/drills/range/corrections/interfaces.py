"""The groups of a network interface are exactly those last set on it; tracking times are kept.

AWS: ModifyNetworkInterfaceAttribute, Groups: the new set replaces the current one; "You can
specify only one attribute at a time". AWS: Security group connection tracking, idle timeouts: TCP
established 60 to 432000 s, UDP 30 to 60 s, UDP stream 60 to 180 s. An instance's own
SecurityGroups (DescribeInstances) are those of its primary interface. moto unions an instance's
launch groups into every interface, never updates the instance, and drops the timeouts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance

from playbooks.drills.range.corrections.attributes import known_groups
from playbooks.drills.range.corrections.correction import AS_IT_IS
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

BOUNDS = {
    "TcpEstablishedTimeout": (60, 432_000),
    "UdpTimeout": (30, 60),
    "UdpStreamTimeout": (60, 180),
}
ATTRIBUTES = {
    "Groups",
    "Description",
    "SourceDestCheck",
    "Attachment",
    "EnaSrdSpecification",
    "EnablePrimaryIpv6",
    "ConnectionTrackingSpecification",
    "AssociatePublicIpAddress",
}


def mend() -> None:
    """Make moto's two models tell one truth: the interface's own group list."""
    interface: Any = NetworkInterface
    instance: Any = Instance
    interface.group_set = property(lambda eni: eni._group_set)
    instance.security_groups = property(_instance_groups, _set_instance_groups)


def _instance_groups(instance: Any) -> Any:
    nics = getattr(instance, "nics", None)
    return nics[0]._group_set if nics and 0 in nics else instance.__dict__["launch_groups"]


def _set_instance_groups(instance: Any, groups: Any) -> None:
    instance.__dict__["launch_groups"] = groups
    nics = getattr(instance, "nics", None)
    if nics and 0 in nics:
        nics[0]._group_set = list(groups)


def modify(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """Set one attribute of one interface; an unknown group changes nothing."""
    backend = ground.ec2(asked.account, asked.region)
    interface_id = asked.params["NetworkInterfaceId"]
    if interface_id not in backend.enis:
        raise AwsError(
            "InvalidNetworkInterfaceID.NotFound",
            f"The networkInterface ID '{interface_id}' does not exist",
        )
    named = [name for name in asked.params if name in ATTRIBUTES]
    if len(named) != 1:
        raise AwsError(
            "InvalidParameterCombination",
            f"Fields for multiple attribute types specified: {', '.join(named)}"
            if named
            else "No attributes specified.",
        )
    known_groups(backend, asked.params.get("Groups", []))
    if named != ["ConnectionTrackingSpecification"]:
        return onward()
    wanted = asked.params["ConnectionTrackingSpecification"]
    for name, seconds in wanted.items():
        low, high = BOUNDS[name]
        if not low <= seconds <= high:
            raise AwsError(
                "InvalidParameterValue",
                f"Value ({seconds}) for parameter {name} is invalid. "
                f"It must be between {low} and {high}.",
            )
    ground.kept.conntrack.setdefault(interface_id, {}).update(wanted)
    return {}


def describe(ground: Ground, _asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """Interfaces with their tracking times; an interface without any has no such member."""
    if not ground.kept.conntrack:
        return AS_IT_IS
    result = onward()
    for interface in result["NetworkInterfaces"]:
        _add_times(ground, interface)
    return result


def describe_instances(ground: Ground, _asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """The same times within DescribeInstances."""
    if not ground.kept.conntrack:
        return AS_IT_IS
    result = onward()
    for reservation in result.get("Reservations", []):
        for instance in reservation["Instances"]:
            for interface in instance.get("NetworkInterfaces", []):
                _add_times(ground, interface)
    return result


def _add_times(ground: Ground, interface: dict[str, Any]) -> None:
    times = ground.kept.conntrack.get(interface["NetworkInterfaceId"])
    if times:
        interface["ConnectionTrackingConfiguration"] = dict(times)


CORRECTIONS: Corrections = {
    ("ec2", "ModifyNetworkInterfaceAttribute"): modify,
    ("ec2", "DescribeNetworkInterfaces"): describe,
    ("ec2", "DescribeInstances"): describe_instances,
}
