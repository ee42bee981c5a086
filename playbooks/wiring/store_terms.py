"""Where artifacts lie: a folder in `home`, or a bucket with Object Lock that production has."""

import re
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from playbooks.wiring.settings import Settings

FOLDER = "file"
# Amazon S3 User Guide, "Bucket naming rules"; a prefix has only what no tool quotes or escapes.
_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9_=.-]+)*)/?")
_KMS = r"^arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$"


class Storing(BaseModel):
    """What a bucket of artifacts needs: whose it is, and how long each object is kept at least.

    Once stored in compliance mode, nobody can cut that time short. `governance` can be lifted by an
    administrator, so it is for drills, on loopback only. `kms_key` is the ARN of a key that S3
    encrypts with, in place of its own. `endpoint` is for a VPC endpoint, or a local run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str | None = None
    region: str | None = None
    retention_days: int | None = Field(default=None, ge=1, le=36500)
    mode: Literal["compliance", "governance"] = "compliance"
    kms_key: str | None = Field(default=None, pattern=_KMS)
    endpoint: str | None = None
    part_mebibytes: int = Field(default=64, ge=5, le=1024)


def place(uri: str) -> tuple[str, str] | None:
    """Return the bucket and prefix (empty, or ending with a slash) of a URI; None for a folder.

    Raises:
        ValueError: when it is neither `file` nor s3://BUCKET/PREFIX.
    """
    if uri == FOLDER:
        return None
    found = _S3.fullmatch(uri)
    if found is None:
        raise ValueError("must be file, or s3://BUCKET or s3://BUCKET/PREFIX")
    prefix = found[2].strip("/")
    return found[1], f"{prefix}/" if prefix else ""


def refuse_unclear(settings: "Settings") -> None:
    """Check that all is said that a bucket needs. Raise ValueError that names what is not."""
    if place(settings.store) is None:
        return
    said = settings.storing
    missing = [n for n in ("account", "region", "retention_days") if getattr(said, n) is None]
    if missing:
        raise ValueError(f"store is a bucket, so storing needs {', '.join(missing)}")
    if said.account not in settings.accounts:
        raise ValueError(f"storing.account {said.account!r} is not among the accounts")
    endpoint = said.endpoint or settings.aws_endpoint
    if said.mode == "governance" and urlsplit(endpoint or "").scheme != "http":
        raise ValueError(
            "storing.mode governance can be lifted by an administrator, so is for drills on "
            "loopback; leave it out"
        )


# On the bucket, and on its objects: what S3Store calls, and nothing that deletes, shortens,
# overwrites or reconfigures (Service Authorization Reference, "Actions for Amazon S3").
OF_BUCKET = (
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
)
OF_OBJECTS = (
    "s3:AbortMultipartUpload",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAttributes",
    "s3:PutObject",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
)
OF_KEY = ("kms:Decrypt", "kms:GenerateDataKey")


def statements(settings: "Settings", account: str, partition: str) -> list[dict[str, Any]]:
    """Return the IAM statements for the bucket, in its account or for `*`; none for a folder."""
    found, said = place(settings.store), settings.storing
    if found is None or account not in ("*", said.account):
        return []
    bucket, prefix = f"arn:{partition}:s3:::{found[0]}", found[1]
    listing: dict[str, Any] = {
        "Effect": "Allow",
        "Action": ["s3:ListBucketVersions"],
        "Resource": bucket,
    }
    if prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": f"{prefix}*"}}
    granted = [
        {"Effect": "Allow", "Action": list(OF_BUCKET), "Resource": bucket},
        listing,
        {"Effect": "Allow", "Action": list(OF_OBJECTS), "Resource": f"{bucket}/{prefix}*"},
    ]
    if said.kms_key:
        granted.append({"Effect": "Allow", "Action": list(OF_KEY), "Resource": said.kms_key})
    return granted
