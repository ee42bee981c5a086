"""Instance attributes: each is set exactly, one a call, and read back as set.

AWS: ModifyInstanceAttribute ("You can specify only one attribute at a time"; groups cannot be set
on an instance with several interfaces) and DescribeInstanceAttribute. moto has no branch for the
shutdown behaviour in its common spelling and clears the instance's groups instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.types import Base64EncodedString

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

FLAGS = {
    "DisableApiTermination": "disable_api_termination",
    "DisableApiStop": "disable_api_stop",
    "EbsOptimized": "ebs_optimized",
}
# AWS: Change the instance type / user data: the instance must be stopped.
STOPPED_ONLY = {"InstanceType": "instance_type", "UserData": "user_data", "Kernel": "kernel"}
SETTABLE = {
    *FLAGS,
    *STOPPED_ONLY,
    "InstanceInitiatedShutdownBehavior",
    "SourceDestCheck",
    "BlockDeviceMappings",
    "Groups",
}


def modify(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """Set one attribute of one instance."""
    backend = ground.ec2(asked.account, asked.region)
    params = _long_form(asked.params)
    named = [name for name in params if name in SETTABLE]
    if len(named) != 1:
        raise AwsError(
            "InvalidParameterCombination",
            f"Fields for multiple attribute types specified: {', '.join(named)}"
            if named
            else "No attributes specified.",
        )
    instance = found(backend, asked.params["InstanceId"])
    _set(backend, instance, named[0], params[named[0]])
    return {}


def found(backend: Any, instance_id: str) -> Any:
    """moto's instance. Raises AwsError InvalidInstanceID.NotFound."""
    for instance in backend.all_instances():
        if instance.id == instance_id:
            return instance
    raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")


def known_groups(backend: Any, group_ids: list[str]) -> list[Any]:
    """moto's groups for these ids. Raises AwsError InvalidGroup.NotFound."""
    groups = []
    for group_id in group_ids:
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            raise AwsError(
                "InvalidGroup.NotFound", f"The security group '{group_id}' does not exist"
            )
        groups.append(group)
    return groups


def _long_form(params: Mapping[str, Any]) -> dict[str, Any]:
    """The older spelling Attribute=…, Value=… as the newer one."""
    if "Attribute" not in params or "Value" not in params:
        return dict(params)
    name = params["Attribute"][0].upper() + params["Attribute"][1:]
    text = params["Value"]
    value = text.lower() == "true" if name in FLAGS or name == "SourceDestCheck" else text
    return {**params, name: {"Value": value}}


def _set(backend: Any, instance: Any, name: str, given: Any) -> None:
    if name in FLAGS:
        setattr(instance, FLAGS[name], bool(given["Value"]))
    elif name in STOPPED_ONLY:
        if instance.state != "stopped":
            raise AwsError(
                "IncorrectInstanceState",
                f"The instance '{instance.id}' is not in the 'stopped' state.",
            )
        value = given["Value"]
        if isinstance(value, bytes):
            value = Base64EncodedString.from_raw_string(value.decode())
        setattr(instance, STOPPED_ONLY[name], value)
    elif name == "InstanceInitiatedShutdownBehavior":
        if given["Value"] not in ("stop", "terminate"):
            raise AwsError(
                "InvalidParameterValue",
                f"Value ({given['Value']}) for parameter instanceInitiatedShutdownBehavior is "
                "invalid. Must be one of: stop, terminate",
            )
        instance.instance_initiated_shutdown_behavior = given["Value"]
    elif name == "BlockDeviceMappings":
        _set_disks(instance, given)
    else:
        _single_interface(instance)
        if name == "Groups":
            instance.security_groups = known_groups(backend, given)
        else:
            instance.source_dest_check = bool(given["Value"])
            instance.nics[0].source_dest_check = bool(given["Value"])


def _set_disks(instance: Any, mappings: list[dict[str, Any]]) -> None:
    devices = dict(instance.get_block_device_mapping)
    for mapping in mappings:
        if mapping["DeviceName"] not in devices:
            raise AwsError(
                "InvalidInstanceAttributeValue",
                f"No device is currently mapped at {mapping['DeviceName']}",
            )
    for mapping in mappings:
        flag = mapping.get("Ebs", {}).get("DeleteOnTermination")
        if flag is not None:
            devices[mapping["DeviceName"]].delete_on_termination = bool(flag)


def _single_interface(instance: Any) -> None:
    if len(instance.nics) > 1:
        raise AwsError(
            "InvalidInstanceID",
            f"There are multiple interfaces attached to instance '{instance.id}'. Please specify "
            "an interface ID for the operation instead.",
        )


def describe(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """Read one attribute of one instance."""
    instance = found(ground.ec2(asked.account, asked.region), asked.params["InstanceId"])
    name = asked.params["Attribute"]
    values: dict[str, tuple[str, Any]] = {
        "instanceType": ("InstanceType", {"Value": instance.instance_type}),
        "kernel": ("KernelId", {"Value": instance.kernel} if instance.kernel else {}),
        "ramdisk": ("RamdiskId", {"Value": instance.ramdisk} if instance.ramdisk else {}),
        "userData": ("UserData", {"Value": instance.user_data} if instance.user_data else {}),
        "disableApiTermination": (
            "DisableApiTermination",
            {"Value": bool(instance.disable_api_termination)},
        ),
        "disableApiStop": ("DisableApiStop", {"Value": bool(instance.disable_api_stop)}),
        "instanceInitiatedShutdownBehavior": (
            "InstanceInitiatedShutdownBehavior",
            {"Value": instance.instance_initiated_shutdown_behavior},
        ),
        "rootDeviceName": ("RootDeviceName", {"Value": instance.root_device_name}),
        "sourceDestCheck": ("SourceDestCheck", {"Value": bool(instance.source_dest_check)}),
        "ebsOptimized": ("EbsOptimized", {"Value": bool(instance.ebs_optimized)}),
        "groupSet": ("Groups", [{"GroupId": g.id} for g in instance.security_groups]),
        "blockDeviceMapping": ("BlockDeviceMappings", _disks(instance)),
        "productCodes": ("ProductCodes", []),
        "sriovNetSupport": ("SriovNetSupport", {"Value": instance.sriov_net_support}),
    }
    if name not in values:
        raise AwsError(
            "InvalidParameterValue", f"Value ({name}) for parameter attribute is invalid."
        )
    key, value = values[name]
    return {"InstanceId": instance.id, key: value}


def _disks(instance: Any) -> list[dict[str, Any]]:
    return [
        {
            "DeviceName": device,
            "Ebs": {
                "VolumeId": disk.volume_id,
                "Status": "attached",
                "DeleteOnTermination": bool(disk.delete_on_termination),
            },
        }
        for device, disk in instance.get_block_device_mapping
    ]


CORRECTIONS: Corrections = {
    ("ec2", "ModifyInstanceAttribute"): modify,
    ("ec2", "DescribeInstanceAttribute"): describe,
}
