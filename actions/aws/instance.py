"""An EC2 instance as a target, and the one look at it that every action starts from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from actions.errors import TargetGoneError, UnfitError

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

    from actions.aws.clients import Aws

PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-isob-": "aws-iso-b",
    "us-iso-": "aws-iso",
}


@dataclass(frozen=True)
class Instance:
    """One instance. `account` is 12 digits, `region` as in eu-west-1, `instance_id` i-..."""

    account: str
    region: str
    instance_id: str

    @property
    def key(self) -> str:
        """Return account/region/id, the part of a step's key that names the target."""
        return f"{self.account}/{self.region}/{self.instance_id}"

    @property
    def partition(self) -> str:
        """Return the partition that the region lies in (AWS General Reference, "ARNs")."""
        found = (v for k, v in PARTITIONS.items() if self.region.startswith(k))
        return next(found, "aws")

    @property
    def arn(self) -> str:
        """Return the instance's ARN, as in the condition key ec2:SourceInstanceARN."""
        return f"arn:{self.partition}:ec2:{self.region}:{self.account}:instance/{self.instance_id}"


def describe(aws: "Aws", host: Instance, *, gone: bool = False) -> "InstanceTypeDef":
    """Return DescribeInstances' answer for the host.

    Raises TargetGoneError when it does not exist or, unless `gone`, is being terminated, and
    UnfitError when the provider is bound to another account or region than the host's.
    """
    if (aws.account, aws.region) != (host.account, host.region):
        raise UnfitError(
            f"{host.key} was to be acted on in {aws.account}/{aws.region}. "
            "Sessions are made per account and region; this one is not the host's."
        )
    try:
        answer = aws.ec2.describe_instances(InstanceIds=[host.instance_id])
    except ClientError as error:
        if error.response["Error"]["Code"].startswith("InvalidInstanceID"):
            raise TargetGoneError(_gone(host, "does not exist")) from error
        raise
    found = [i for r in answer["Reservations"] for i in r["Instances"]]
    if not found:
        raise TargetGoneError(_gone(host, "does not exist"))
    state = found[0]["State"]["Name"]
    if state in ("terminated", "shutting-down") and not gone:
        raise TargetGoneError(_gone(host, f"is {state}"))
    return found[0]


def _gone(host: Instance, what: str) -> str:
    return (
        f"instance {host.instance_id} {what} in account {host.account}, {host.region}. "
        "Check the account and region of the alert; if it was terminated, its snapshots and "
        "CloudTrail are what is left."
    )
