"""The doctor comes to an end whatever a check does, and tells no secret."""

import threading
import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from sqlalchemy.exc import OperationalError

from evidence.errors import KeyMaterialError
from playbooks.desk.doctor.finding import Finding, ok
from playbooks.desk.doctor.running import run
from playbooks.errors import SettingsError
from playbooks.intake.errors import IntakeError
from playbooks.wiring.hidden import hide

SECRET = "canary-doctor-0123456789"


def well() -> list[Finding]:
    return [ok("well", "it is")]


def test_one_that_hangs_hides_no_other() -> None:
    never = threading.Event()

    def hangs() -> Iterator[Finding]:
        yield ok("hangs", "so far")
        never.wait()

    began = time.monotonic()
    found = run({"hangs": hangs, "well": well}, patience=0.2)
    assert time.monotonic() - began < 2
    assert [(f.check, f.level) for f in found] == [("hangs", "warn"), ("well", "ok")]
    never.set()


ERRORS = [
    SettingsError("what"),
    KeyMaterialError("what"),
    IntakeError("what"),
    OSError(2, "what"),
    OperationalError("SELECT 1", {"x": "parameter"}, Exception("what\nmore")),
    ClientError({"Error": {"Code": "what", "Message": "m"}}, "Op"),
    ConnectTimeoutError(endpoint_url="http://127.0.0.1"),
    ZeroDivisionError("what"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_one_that_fails_is_bad_and_hides_no_other(error: Exception) -> None:
    def fails() -> Iterator[Finding]:
        yield ok("fails", "so far")
        raise error

    found = run({"fails": fails, "well": well})
    assert [(f.check, f.level) for f in found] == [("fails", "bad"), ("well", "ok")]
    assert "parameter" not in found[0].what
    assert "\n" not in found[0].what
    assert found[0].what


def test_what_is_found_comes_in_the_order_of_the_checks() -> None:
    def slow() -> list[Finding]:
        time.sleep(0.05)
        return [ok("slow", "1"), ok("slow", "2")]

    found = run({"slow": slow, "well": well})
    assert [f.what for f in found] == ["1", "2", "it is"]


def test_no_secret_is_told() -> None:
    hide(SECRET)

    def tells() -> list[Finding]:
        return [Finding("tells", "bad", f"it is {SECRET}", f"type {SECRET}")]

    def raises() -> list[Finding]:
        raise SettingsError(f"wrong: {SECRET}")

    found = run({"tells": tells, "raises": raises})
    assert [f.level for f in found] == ["bad", "bad"]
    assert SECRET not in repr(found)
