"""A secret of AWS Secrets Manager as a target, and the one look at it that actions start from."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.errors import TargetGoneError, UnfitError
from actions.permission import Permission

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
ARN = "arn:{partition}:secretsmanager:{region}:{account}:secret:*"
# A secret under a key of one's own is read and written through that key (AWS KMS Developer Guide,
# "kms:ViaService").
_KMS = ("arn:{partition}:kms:{region}:{account}:key/*",)
_VIA = {"StringEquals": {"kms:ViaService": "secretsmanager.{region}.amazonaws.com"}}
READING = (
    Permission("secretsmanager:DescribeSecret", ARN),
    Permission("secretsmanager:GetSecretValue", ARN),
    Permission("kms:Decrypt", *_KMS, _VIA),
)
PUTTING = (
    Permission("secretsmanager:PutSecretValue", ARN),
    Permission("kms:GenerateDataKey", *_KMS, _VIA),
)


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret: `account` is 12 digits, `region` as in eu-west-1, `name` may hold slashes."""

    account: str
    region: str
    name: str

    @property
    def key(self) -> str:
        """Return account/region/secret/name, which names it in steps and incidents."""
        return f"{self.account}/{self.region}/secret/{self.name}"


def describe(p: Aws, secret: Secret) -> dict[str, Any]:
    """Return DescribeSecret's answer.

    Raises TargetGoneError when there is no such secret or it is scheduled for deletion, and
    UnfitError when the provider is bound to another account or region than the secret's.
    """
    if (p.account, p.region) != (secret.account, secret.region):
        raise UnfitError(
            f"{secret.key} was to be used in {p.account}/{p.region}. Sessions are made per account "
            "and region; this one is not the secret's. Keep the secret in that region, or put "
            "its region first among the account's in the settings."
        )
    try:
        found: Any = p.secretsmanager.describe_secret(SecretId=secret.name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise TargetGoneError(
            f"secret {secret.name} does not exist in {secret.account}/{secret.region}. Make it "
            "first, or look at who deleted it (CloudTrail)."
        ) from error
    if found.get("DeletedDate"):
        raise TargetGoneError(
            f"secret {secret.name} is to be deleted on {found['DeletedDate']:%Y-%m-%d}, and until "
            "then neither read nor written. Restore it (RestoreSecret), or name another."
        )
    return dict(found)


def labels(found: dict[str, Any]) -> dict[str, str]:
    """Return staging label -> version id, of DescribeSecret's answer."""
    stages = found.get("VersionIdsToStages", {})
    return {label: version for version, names in stages.items() for label in names}


def value_of(p: Aws, secret: Secret, version: str) -> str:
    """Return a version's text: for use within the act, never for a result, a log or an error.

    Raises UnfitError for a binary secret and one whose version is gone.
    """
    try:
        found: Any = p.secretsmanager.get_secret_value(SecretId=secret.name, VersionId=version)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise UnfitError(
            f"version {version} of secret {secret.name} is not there (any more): a version "
            "without a staging label may go. Make a new one."
        ) from error
    if "SecretString" not in found:
        raise UnfitError(
            f"secret {secret.name} is binary; what is in it is not known here. Change it by hand."
        )
    return str(found["SecretString"])
