"""What a principal used of late, by IAM's own record of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.aws.clients import Aws
from playbooks.review.errors import InventoryError

PERMISSIONS = ("iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails")
# Seconds between two looks at a report that is being made, and how many looks.
PAUSE, LOOKS = 1.0, 120


@dataclass(frozen=True, slots=True)
class Used:
    """Services (`ec2`) and, where IAM tracks them, actions (`ec2:RunInstances`) that were used."""

    services: frozenset[str]
    actions: frozenset[str]
    since: datetime


async def used(
    aws: Aws, arn: str, since: datetime, sleep: Callable[[float], Awaitable[None]]
) -> Used:
    """Return what a user, role, or any of a group's users used from a time on.

    Source: IAM API, GenerateServiceLastAccessedDetails with ACTION_LEVEL, whose record lags by up
    to four hours and goes back 400 days. Raises InventoryError when IAM does not finish it.
    """
    job = aws.iam.generate_service_last_accessed_details(Arn=arn, Granularity="ACTION_LEVEL")
    for _ in range(LOOKS):
        page: Any = aws.iam.get_service_last_accessed_details(JobId=job["JobId"])
        if page["JobStatus"] == "COMPLETED":
            return _read(aws, job["JobId"], page, since)
        if page["JobStatus"] == "FAILED":
            break
        await sleep(PAUSE)
    raise InventoryError(
        f"IAM did not say what {arn} used; nothing was reduced. Try again later, or keep or revoke."
    )


def _read(aws: Aws, job: str, page: Any, since: datetime) -> Used:
    services: set[str] = set()
    actions: set[str] = set()
    while True:
        for service in page["ServicesLastAccessed"]:
            name = service["ServiceNamespace"]
            if _late(service.get("LastAuthenticated"), since):
                services.add(name)
            actions |= {
                f"{name}:{action['ActionName']}"
                for action in service.get("TrackedActionsLastAccessed", [])
                if _late(action.get("LastAccessedTime"), since)
            }
        if not page.get("IsTruncated"):
            return Used(frozenset(services), frozenset(actions), since)
        page = aws.iam.get_service_last_accessed_details(JobId=job, Marker=page["Marker"])


def _late(at: datetime | None, since: datetime) -> bool:
    return at is not None and at >= since
