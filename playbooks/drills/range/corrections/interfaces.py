"""The groups of a network interface are exactly those last set on it.

AWS: ModifyNetworkInterfaceAttribute, Groups: "Changes the security groups for the network
interface. The new set of groups you specify replaces the current set." An instance's own
SecurityGroups (DescribeInstances) are those of its primary interface. moto unions an instance's
launch groups into every interface and never updates the instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


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


def modify_instance(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """AWS: ModifyInstanceAttribute, Groups, errors when there is more than one interface."""
    groups = asked.params.get("Groups")
    if groups is not None:
        backend = ground.ec2(asked.account, asked.region)
        _known(backend, groups)
        if len(backend.get_instance(asked.params["InstanceId"]).nics) > 1:
            raise AwsError(
                "InvalidInstanceID",
                "There are multiple interfaces attached to instance "
                f"'{asked.params['InstanceId']}'. Please specify an interface ID for the "
                "operation instead.",
            )
    return onward()


def modify_interface(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """Unknown groups are refused, and nothing changes; moto would store None for them."""
    _known(ground.ec2(asked.account, asked.region), asked.params.get("Groups", []))
    return onward()


def _known(backend: Any, groups: list[str]) -> None:
    for group in groups:
        if backend.get_security_group_from_id(group) is None:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")


CORRECTIONS: Corrections = {
    ("ec2", "ModifyInstanceAttribute"): modify_instance,
    ("ec2", "ModifyNetworkInterfaceAttribute"): modify_interface,
}
