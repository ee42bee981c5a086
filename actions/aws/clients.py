"""One AWS account and region, as actions see it: clients made lazily by whoever was passed in."""

import secrets
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from actions.errors import ProviderError, UnfitError

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_identitystore import IdentityStoreClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rolesanywhere import IAMRolesAnywhereClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sso_admin import SSOAdminClient
    from mypy_boto3_sts import STSClient

    from actions.vault.clients import Vault

# Codes that mean "not now", not "no". Sources: Amazon EC2 "Error codes for the Amazon EC2 API",
# IAM "Common errors", Auto Scaling "ScalingActivityInProgress", "ResourceContention",
# AWS Organizations API Reference, "UpdatePolicy", errors; Lambda, "PutFunctionConcurrency", errors;
# IAM, "UpdateLoginProfile", errors; Systems Manager, "SendCommand", errors.
PASSING = frozenset(
    {
        "ConcurrentModification",
        "ConcurrentModificationException",
        # IAM Identity Center: an earlier write has not propagated ("ConflictException").
        "ConflictException",
        "DeleteConflict",
        "DependencyViolation",
        "EntityTemporarilyUnmodifiable",
        "IncorrectState",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        # A group that was just made may not show at once ("Ensuring eventual consistency").
        "InvalidGroup.Duplicate",
        "InvalidGroup.NotFound",
        "InvalidSecurityGroupID.NotFound",
        "PolicyChangesInProgressException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ResourceConflictException",
        "ResourceContention",
        "ScalingActivityInProgress",
        "ServiceException",
        "ServiceUnavailable",
        "SnapshotCreationPerVolumeRateExceeded",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "Unavailable",
    }
)

# A throttled request was not begun, though EC2 answers it with 503 ("Request throttling").
THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "RequestThrottled",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class Aws:
    """Bound to one account and region. `service(name)` returns a boto3 client for them.

    `chance(n)` returns a new secret as URL-safe text of n random bytes.
    """

    def __init__(
        self,
        account: str,
        region: str,
        make: Callable[[str], Any],
        partition: str = "aws",
        vaults: "Callable[[str], Vault] | None" = None,
        logins: "Mapping[str, Callable[[Mapping[str, str]], bool]] | None" = None,
        chance: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self.account = account
        self.chance = chance
        self.region = region
        self.partition = partition
        self.service = cache(make)
        self._vaults = vaults
        # How to see whether a new secret opens anything, by what it is: "access_key", or a
        # secret's key. Each takes the secret's fields and returns whether it let them in.
        self.logins = dict(logins or {})

    @cached_property
    def ec2(self) -> "EC2Client":
        """Amazon EC2."""
        return self.service("ec2")  # type: ignore[no-any-return]

    @cached_property
    def iam(self) -> "IAMClient":
        """AWS IAM."""
        return self.service("iam")  # type: ignore[no-any-return]

    @cached_property
    def autoscaling(self) -> "AutoScalingClient":
        """Amazon EC2 Auto Scaling."""
        return self.service("autoscaling")  # type: ignore[no-any-return]

    @cached_property
    def elbv2(self) -> "ElasticLoadBalancingv2Client":
        """Elastic Load Balancing v2."""
        return self.service("elbv2")  # type: ignore[no-any-return]

    @cached_property
    def organizations(self) -> "OrganizationsClient":
        """AWS Organizations."""
        return self.service("organizations")  # type: ignore[no-any-return]

    @cached_property
    def sso_admin(self) -> "SSOAdminClient":
        """IAM Identity Center."""
        return self.service("sso-admin")  # type: ignore[no-any-return]

    @cached_property
    def identitystore(self) -> "IdentityStoreClient":
        """The identity store of IAM Identity Center."""
        return self.service("identitystore")  # type: ignore[no-any-return]

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        """AWS Secrets Manager."""
        return self.service("secretsmanager")  # type: ignore[no-any-return]

    @cached_property
    def rds(self) -> "RDSClient":
        """Amazon RDS."""
        return self.service("rds")  # type: ignore[no-any-return]

    @cached_property
    def lambda_(self) -> "LambdaClient":
        """AWS Lambda."""
        return self.service("lambda")  # type: ignore[no-any-return]

    @cached_property
    def events(self) -> "EventBridgeClient":
        """Amazon EventBridge."""
        return self.service("events")  # type: ignore[no-any-return]

    @cached_property
    def rolesanywhere(self) -> "IAMRolesAnywhereClient":
        """IAM Roles Anywhere."""
        return self.service("rolesanywhere")  # type: ignore[no-any-return]

    @cached_property
    def cloudtrail(self) -> "CloudTrailClient":
        """AWS CloudTrail."""
        return self.service("cloudtrail")  # type: ignore[no-any-return]

    @cached_property
    def ssm(self) -> Any:
        """AWS Systems Manager."""
        return self.service("ssm")

    @cached_property
    def s3(self) -> Any:
        """Amazon S3."""
        return self.service("s3")

    @cached_property
    def sts(self) -> "STSClient":
        """AWS STS."""
        return self.service("sts")  # type: ignore[no-any-return]

    def vault(self, name: str) -> "Vault":
        """Return the Vault of this name, where a new secret goes. Raise UnfitError if not known."""
        if self._vaults is None:
            raise UnfitError(
                f"there is no Vault {name!r} to put a secret into. Add [vaults.{name}] to the "
                "settings, or name a secret of AWS Secrets Manager."
            )
        return self._vaults(name)

    def translate(self, error: Exception) -> ProviderError | None:
        """Return a botocore error as ours, or None when it is not botocore's."""
        if isinstance(error, ClientError):
            code = str(error.response.get("Error", {}).get("Code", "Unknown"))
            message = str(error.response.get("Error", {}).get("Message", ""))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            return ProviderError(
                error.operation_name,
                code,
                message,
                passing=code in PASSING or status >= 500,
                refused=status < 500 or code in THROTTLED,
            )
        if isinstance(error, BotoCoreError):
            return ProviderError(
                "call", type(error).__name__, str(error), passing=True, refused=False
            )
        return None
