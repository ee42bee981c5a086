"""A user's access keys as they are now, and where they were last used."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.aws.principal import Principal
from actions.errors import TargetGoneError
from actions.permission import Permission

USER = "arn:{partition}:iam::{account}:user/*"
# What listing them, and asking for their use, needs.
LOOKING = (Permission("iam:ListAccessKeys", USER), Permission("iam:GetAccessKeyLastUsed", USER))
# IAM and AWS STS quotas: access keys per user; cannot be raised.
SLOTS = 2


@dataclass(frozen=True, slots=True)
class Key:
    """One access key. `used` says when, for which service and where it was used last, or ""."""

    id: str
    active: bool
    used: str = ""

    def __str__(self) -> str:
        state = "active" if self.active else "inactive"
        return f"{self.id} ({state}, {f'last used {self.used}' if self.used else 'never used'})"


def keys_of(p: Aws, user: Principal) -> dict[str, bool]:
    """Return key id -> whether it is active. Raise TargetGoneError if there is no such user."""
    try:
        pages = p.iam.get_paginator("list_access_keys").paginate(UserName=user.name)
        found = [key for page in pages for key in page["AccessKeyMetadata"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        raise TargetGoneError(
            f"user {user.name} does not exist (any more) in account {user.account}. Look at who "
            "deleted it (CloudTrail)."
        ) from error
    return {key["AccessKeyId"]: key["Status"] == "Active" for key in found}


def used(p: Aws, key_id: str) -> str:
    """Return when, for what and where a key was last used, or "" if never.

    Uses within 15 minutes are recorded once (IAM User Guide, "Getting credential reports").
    """
    found: Any = p.iam.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"]
    if not (when := found.get("LastUsedDate")):
        return ""
    return f"{when:%Y-%m-%d %H:%M UTC} for {found['ServiceName']} in {found['Region']}"


def described(p: Aws, user: Principal) -> tuple[Key, ...]:
    """Return the user's keys with their use."""
    return tuple(Key(i, active, used(p, i)) for i, active in sorted(keys_of(p, user).items()))
