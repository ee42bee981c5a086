"""Where the ledger is published for everybody, if anywhere: `[publishing]` in stanch.toml."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from playbooks.wiring.store_terms import place

if TYPE_CHECKING:
    from playbooks.wiring.settings import Settings

OF_OBJECTS = ("s3:GetObject", "s3:PutObject")


class Publishing(BaseModel):
    """A folder (file:///FOLDER) or a bucket (s3://BUCKET/PREFIX), with whose it is and its region.

    `endpoint` is for a VPC endpoint, or a local run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    uri: str
    account: str | None = None
    region: str | None = None
    endpoint: str | None = None

    @field_validator("uri")
    @classmethod
    def _known(cls, uri: str) -> str:
        if folder_of(uri) is None and (not uri.startswith("s3://") or place(uri) is None):
            raise ValueError("must be file:///FOLDER, s3://BUCKET or s3://BUCKET/PREFIX")
        return uri

    @model_validator(mode="after")
    def _whole(self) -> "Publishing":
        if folder_of(self.uri) is None and (self.account is None or self.region is None):
            raise ValueError("a bucket needs account and region")
        return self


def folder_of(uri: str) -> Path | None:
    """Return the folder that a URI names, None where it names none."""
    parts = urlsplit(uri)
    path = Path(unquote(parts.path))
    return path if parts.scheme == "file" and not parts.netloc and path.is_absolute() else None


def statements(settings: "Settings", account: str, partition: str) -> list[dict[str, Any]]:
    """Return the IAM statements for the bucket, in its account or for `*`; none for a folder.

    Deletion is for partial tiles alone, whose names end in .p/ and a number.
    """
    said = settings.publishing
    if said is None or folder_of(said.uri) is not None or account not in ("*", said.account):
        return []
    name, prefix = place(said.uri) or ("", "")
    bucket = f"arn:{partition}:s3:::{name}"
    return [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": bucket,
            "Condition": {"StringLike": {"s3:prefix": f"{prefix}*"}},
        },
        {"Effect": "Allow", "Action": list(OF_OBJECTS), "Resource": f"{bucket}/{prefix}*"},
        {
            "Effect": "Allow",
            "Action": ["s3:DeleteObject"],
            "Resource": f"{bucket}/{prefix}tile/*.p/*",
        },
    ]
