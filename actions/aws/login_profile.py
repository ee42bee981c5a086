"""A user's password for the console, as IAM shows it: never the password itself."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.aws.iam_target import absent
from actions.aws.principal import Principal


def profile_of(p: Aws, who: Principal) -> Any:
    """Return the login profile (GetLoginProfile), or None when the user has no password."""
    try:
        return p.iam.get_login_profile(UserName=who.name)["LoginProfile"]
    except ClientError as error:
        if not absent(error):
            raise
        return None


def made_at(profile: Any) -> str:
    """Return the profile's CreateDate, RFC 3339 in UTC, to the second."""
    made: datetime = profile["CreateDate"]
    return made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
