"""What an incident asks of each user itself, now: keys by id with their last use, password, MFA.

One call a key and three a user: right for the few that an incident is about, and never for an
account; a credential report would be hours old.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from playbooks.review.credential_report import Report, Reported, ReportedKey
from playbooks.review.live import access_keys

PERMISSIONS = (
    "iam:GetAccessKeyLastUsed",
    "iam:GetLoginProfile",
    "iam:GetUser",
    "iam:ListMFADevices",
)


def triage(aws: Aws, users: Iterable[str], now: datetime) -> Report:
    """Return the same as a credential report of these users, as of now; the gone are left out."""
    found = {name: one for name in users if (one := _user(aws, name)) is not None}
    return Report(now, found)


def _user(aws: Aws, name: str) -> Reported | None:
    try:
        user: Any = aws.iam.get_user(UserName=name)["User"]
        mfa = bool(aws.iam.list_mfa_devices(UserName=name)["MFADevices"])
    except ClientError as error:
        if not _absent(error):
            raise
        return None
    keys = tuple(_key(aws, key) for key in access_keys(aws, name))
    console = _console(aws, name)
    return Reported(user["Arn"], console, _utc(user.get("PasswordLastUsed")), mfa, keys)


def _key(aws: Aws, key: Any) -> ReportedKey:
    used: Any = aws.iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    last = _utc(used["AccessKeyLastUsed"].get("LastUsedDate"))
    made = key["CreateDate"].astimezone(UTC).replace(microsecond=0)
    return ReportedKey(key["AccessKeyId"], key["Status"] == "Active", made, last)


def _console(aws: Aws, name: str) -> bool:
    try:
        aws.iam.get_login_profile(UserName=name)
    except ClientError as error:
        if not _absent(error):
            raise
        return False
    return True


def _absent(error: ClientError) -> bool:
    return bool(error.response["Error"]["Code"] == "NoSuchEntity")


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
