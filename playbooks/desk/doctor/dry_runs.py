"""Requests that ask EC2 whether they would be allowed, about things that do not exist.

With DryRun, EC2 checks permissions and does nothing else: DryRunOperation means allowed,
UnauthorizedOperation missing (Amazon EC2 API Reference, DryRun). That the ids are made up is a
second lock. Other services have no such switch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

INSTANCE, INTERFACE = "i-00000000000000000", "eni-00000000000000000"
GROUP, NETWORK = "sg-00000000000000000", "vpc-00000000000000000"
SNAPSHOT = "snap-00000000000000000"
TAG = {"Key": "stanch:incident", "Value": "doctor"}

Answer = Literal["allowed", "missing", "unclear"]

REQUESTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "ec2:CopySnapshot": (
        "copy_snapshot",
        {"SourceRegion": "us-east-1", "SourceSnapshotId": SNAPSHOT},
    ),
    "ec2:CreateSecurityGroup": (
        "create_security_group",
        {"GroupName": "stanch-doctor", "Description": "dry run", "VpcId": NETWORK},
    ),
    "ec2:CreateSnapshots": (
        "create_snapshots",
        {"InstanceSpecification": {"InstanceId": INSTANCE}},
    ),
    "ec2:CreateTags": ("create_tags", {"Resources": [INSTANCE], "Tags": [TAG]}),
    "ec2:DeleteTags": ("delete_tags", {"Resources": [INSTANCE], "Tags": [TAG]}),
    "ec2:ModifyInstanceAttribute": (
        "modify_instance_attribute",
        {"InstanceId": INSTANCE, "DisableApiTermination": {"Value": True}},
    ),
    "ec2:ModifyNetworkInterfaceAttribute": (
        "modify_network_interface_attribute",
        {"NetworkInterfaceId": INTERFACE, "Groups": [GROUP]},
    ),
    "ec2:TerminateInstances": ("terminate_instances", {"InstanceIds": [INSTANCE]}),
}
# Only allowed on what carries our tag, which nothing made up does.
BY_TAG = frozenset(
    {
        "ec2:DeleteSecurityGroup",
        "ec2:LockSnapshot",
        "ec2:ModifySnapshotAttribute",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:UnlockSnapshot",
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What EC2 answered, with its code."""

    action: str
    answer: Answer
    code: str


def ask(ec2: Any, action: str) -> Asked:
    """Ask EC2 whether the caller may do this. Raises ClientError where it did not come to that."""
    operation, request = REQUESTS[action]
    try:
        getattr(ec2, operation)(DryRun=True, **request)
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        if code == "DryRunOperation":
            return Asked(action, "allowed", code)
        if code == "UnauthorizedOperation":
            return Asked(action, "missing", code)
        if code.startswith("Invalid"):
            # It looked for the thing, and may or may not have asked IAM before.
            return Asked(action, "unclear", code)
        raise
    return Asked(action, "unclear", "an answer as if it were done")
