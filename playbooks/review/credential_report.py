"""The account's credential report: passwords, MFA and keys of every user, some hours old.

IAM makes a new one at most every four hours (IAM User Guide, "Generate credential reports for your
AWS account"), so its age is always shown, and it is never what live triage goes by. It names no
key: it has two places for keys, 1 and 2, and when each was made or last changed.
"""

import csv
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from playbooks.review.errors import InventoryError

PERMISSIONS = ("iam:GenerateCredentialReport", "iam:GetCredentialReport")
ROOT = "<root_account>"
# IAM's words for a report that is to be made first (IAM API, GetCredentialReport, "Errors").
ABSENT = ("ReportNotPresent", "ReportExpired", "ReportInProgress")
# Seconds between two looks, and how many: a large account's report takes minutes.
PAUSE, LOOKS = 2.0, 150


@dataclass(frozen=True, slots=True)
class ReportedKey:
    """A key by its place in the report, 1 or 2, or by its id where that was asked for.

    `rotated` is when it was made or last changed.
    """

    place: str
    active: bool
    rotated: datetime | None
    used: datetime | None


@dataclass(frozen=True, slots=True)
class Reported:
    """What the report says of one user."""

    arn: str
    console: bool
    console_used: datetime | None
    mfa: bool
    keys: tuple[ReportedKey, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report, by user name; `made` is when IAM generated it, aware UTC."""

    made: datetime
    users: Mapping[str, Reported]


async def report(aws: Aws, sleep: Callable[[float], Awaitable[None]]) -> Report:
    """Return the newest report, which is made first where there is none, or none in date.

    Raises InventoryError when IAM does not come to an end with it.
    """
    for _ in range(LOOKS):
        aws.iam.generate_credential_report()
        try:
            found: Any = aws.iam.get_credential_report()
        except ClientError as error:
            if error.response["Error"]["Code"] not in ABSENT:
                raise
            await sleep(PAUSE)
            continue
        return Report(found["GeneratedTime"].astimezone(UTC), dict(_users(found["Content"])))
    raise InventoryError(
        f"account {aws.account}: IAM did not finish its credential report in "
        f"{LOOKS * PAUSE / 60:.0f} minutes. Start the review again later."
    )


def _users(content: bytes) -> Iterator[tuple[str, Reported]]:
    for row in csv.DictReader(io.StringIO(content.decode())):
        keys = tuple(
            ReportedKey(
                place,
                row[f"access_key_{place}_active"] == "true",
                _time(row[f"access_key_{place}_last_rotated"]),
                _time(row[f"access_key_{place}_last_used_date"]),
            )
            for place in ("1", "2")
        )
        # A place without a key has no time at which it was made.
        keys = tuple(k for k in keys if k.active or k.rotated)
        # The root user's password cannot be turned off, and is given as not_supported.
        console = row["password_enabled"] != "false"  # noqa: S105 - a column's name
        used = _time(row["password_last_used"])
        yield row["user"], Reported(row["arn"], console, used, row["mfa_active"] == "true", keys)


def _time(text: str) -> datetime | None:
    """Return a time of the report, aware UTC; None for N/A, no_information and not_supported."""
    if not text[:1].isdigit():
        return None
    return datetime.fromisoformat(text).astimezone(UTC)
