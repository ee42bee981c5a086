"""What was used is what IAM's record says, page after page, from the day on that counts."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from playbooks.review.errors import InventoryError
from playbooks.review.triage import triage
from playbooks.review.used import LOOKS, used
from tests.playbooks.review.staff import hire
from tests.playbooks.scene import Scene, apart

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


class Record:
    """IAM's record of use: each answer once, the last one again and again."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def generate_service_last_accessed_details(self, **asked: Any) -> dict[str, str]:
        self.asked.append(asked)
        return {"JobId": "job"}

    def get_service_last_accessed_details(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def ask(record: Record) -> Any:
    class Account:
        iam = record

    async def at_once(seconds: float) -> None:
        """Wait no time."""

    account: Any = Account()
    return asyncio.run(used(account, "arn", SINCE, at_once))


def service(name: str, days: int | None, **actions: int | None) -> dict[str, Any]:
    def at(later: int | None) -> Any:
        return None if later is None else SINCE + timedelta(days=later)

    tracked = [
        {"ActionName": n} | ({"LastAccessedTime": at(d)} if d is not None else {})
        for n, d in actions.items()
    ]
    told = {"LastAuthenticated": at(days)} if days is not None else {}
    return {"ServiceNamespace": name, "TrackedActionsLastAccessed": tracked, **told}


def page(*services: dict[str, Any], marker: str = "") -> dict[str, Any]:
    more = {"IsTruncated": True, "Marker": marker} if marker else {"IsTruncated": False}
    return {"JobStatus": "COMPLETED", "ServicesLastAccessed": list(services), **more}


def test_only_what_was_used_since_then_counts_over_all_pages() -> None:
    record = Record(
        {"JobStatus": "IN_PROGRESS"},
        page(service("ec2", 0, DescribeVpcs=0, RunInstances=-1, StopInstances=None), marker="m"),
        page(service("s3", 5), service("iam", -1, ListUsers=-1), service("sqs", None)),
    )
    found = ask(record)
    assert found.actions == {"ec2:DescribeVpcs"}
    assert found.services == {"ec2", "s3"}
    assert record.asked[0]["Granularity"] == "ACTION_LEVEL"
    assert record.asked[-1] == {"JobId": "job", "Marker": "m"}


@pytest.mark.parametrize(("status", "looks"), [("FAILED", 1), ("IN_PROGRESS", LOOKS)])
def test_a_record_that_does_not_come_reduces_nothing(status: str, looks: int) -> None:
    record = Record({"JobStatus": status})
    with pytest.raises(InventoryError, match="nothing was reduced"):
        ask(record)
    assert len(record.asked) == 1 + looks


@apart
def test_users_are_asked_one_by_one_and_the_gone_are_left_out(scene: Scene) -> None:
    hire(scene.aws("iam"))
    aws = scene.parts.aws(scene.estate.account, "aws-global")
    found = triage(aws, ["alice", "carol", "nobody"], scene.parts.now())
    assert found.users.keys() == {"alice", "carol"}
    assert (found.users["alice"].console, found.users["carol"].console) == (True, False)
    (key,) = found.users["carol"].keys
    assert (key.place[:4], key.active) == ("AKIA", True)
