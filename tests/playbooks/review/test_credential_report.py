"""A credential report is of when it was made; its age is told, and a new one is waited for."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from playbooks.review import credential_report
from playbooks.review.credential_report import ROOT, report
from playbooks.review.errors import InventoryError
from tests.playbooks.review.staff import begin, hire, rows_of
from tests.playbooks.scene import Scene, apart


@apart
def test_its_age_is_told_and_not_that_of_the_review(scene: Scene) -> None:
    hire(scene.aws("iam"))
    first = begin(scene)
    scene.world.tick(timedelta(hours=3).total_seconds())
    second = begin(scene)
    assert first.facts["report age in hours"] == "0.0"
    assert second.facts["report age in hours"] == "3.0"
    scene.world.tick(timedelta(hours=2).total_seconds())
    assert begin(scene).facts["report age in hours"] == "0.0", "a new one is made after four hours"


@apart
def test_what_the_report_says_stands_in_the_rows(scene: Scene) -> None:
    hire(scene.aws("iam"))
    rows = rows_of(scene, begin(scene))
    assert "no MFA" in rows["user/alice console"].flags
    assert "user/carol console" not in rows
    assert rows["user/alice key/1"].about["active"] is True
    assert "admin" in rows["account/root root"].flags
    assert rows["role/deploy trust"].flags == ("external trust",)
    assert rows["role/deploy inline/all"].flags == ("admin",)
    assert rows["user/alice policy/" + orders(scene)].flags == ("wildcard",)
    assert rows["group/ops inline/look"].about["members"] == ["alice", "carol"]
    assert rows["user/alice key/1"].owner == "bob"


def orders(scene: Scene) -> str:
    return f"arn:aws:iam::{scene.estate.account}:policy/orders"


@apart
def test_rows_older_than_90_days_are_flagged(scene: Scene) -> None:
    hire(scene.aws("iam"))
    scene.world.tick(timedelta(days=91).total_seconds())
    rows = rows_of(scene, begin(scene))
    assert rows["user/alice key/1"].flags == ("old key", "unused")
    assert "unused" in rows["role/deploy inline/all"].flags


class Iam:
    """An IAM that answers as it is told: once for each call of GetCredentialReport."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def generate_credential_report(self) -> dict[str, str]:
        return {"State": "STARTED"}

    def get_credential_report(self) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Account:
    account = "111122223333"

    def __init__(self, iam: Iam) -> None:
        self.iam = iam


async def at_once(seconds: float) -> None:
    """Wait no time."""


def error(code: str) -> Exception:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "GetCredentialReport")


def test_one_that_is_being_made_is_waited_for() -> None:
    head = ",".join(
        ["user", "arn", "password_enabled", "password_last_used", "mfa_active"]
        + [
            f"access_key_{n}_{w}"
            for n in (1, 2)
            for w in ("active", "last_rotated", "last_used_date")
        ]
    )
    line = f"{ROOT},arn,not_supported,2026-05-04T03:02:01+00:00,false,true,N/A,N/A,false,N/A,N/A"
    made = datetime(2026, 5, 4, tzinfo=UTC)
    whole = {"Content": f"{head}\n{line}\n".encode(), "GeneratedTime": made}
    account: Any = Account(Iam(error("ReportInProgress"), error("ReportExpired"), whole))
    found = asyncio.run(report(account, at_once))
    root = found.users[ROOT]
    assert (root.mfa, root.console, len(root.keys)) == (False, True, 1)
    assert root.console_used == datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def test_one_that_never_comes_is_given_up_and_another_error_is_told() -> None:
    waits: Any = Account(Iam(error("ReportInProgress")))
    with pytest.raises(InventoryError, match="did not finish"):
        asyncio.run(report(waits, at_once))
    refused: Any = Account(Iam(error("AccessDenied")))
    with pytest.raises(Exception, match="AccessDenied"):
        asyncio.run(report(refused, at_once))
    assert credential_report.LOOKS * credential_report.PAUSE >= 240, "large accounts take minutes"
