"""The calculator: what it takes, what it refuses, and how it counts a day that came as UTC."""

from typing import Any

import pytest
from typer.testing import CliRunner

from playbooks.__main__ import built
from playbooks.duties.calculator import calculate
from playbooks.duties.errors import AnchorError, DutiesError, FactError, MomentError, RuleError
from playbooks.duties.reading import shipped
from playbooks.duties.shown import duty_json

BOOK = shipped()
AWARE = "2026-11-20T16:30[Europe/Berlin]"


def told(duty: str, anchors: dict[str, str], **facts: str) -> dict[str, Any]:
    regime, _, stage = duty.partition("/")
    named = {name.replace("_CA", ".CA"): value for name, value in facts.items()}
    return duty_json(calculate(BOOK, regime, stage, anchors, named))


def test_the_day_of_an_instant_in_utc_is_that_of_the_place() -> None:
    said = told("us-ca/individuals", {"discovery": "2026-11-17T02:00Z"})
    assert said["conservative_due"] == {"date": "2026-12-16", "zone": "America/Los_Angeles"}
    there = told("us-ca/individuals", {"discovery": "2026-11-17T02:00[Asia/Tokyo]"})
    assert there["legal_latest"] == there["conservative_due"] == said["conservative_due"]


def test_a_day_without_an_hour_is_counted_from_its_first_hour() -> None:
    said = told(
        "us-bank-36h/regulator", {"determination_of_notification_incident": "2026-11-27[UTC]"}
    )
    assert said["conservative_due"] == "2026-11-28T12:00+00:00"
    assert any("hour" in step and "not known" in step for step in said["derivation"])


def test_where_no_event_is_given_nothing_is_due() -> None:
    said = told("eu-gdpr/sa", {})
    assert said["status"] == "not_started"
    assert said["conservative_due"] is said["legal_latest"] is None
    assert said["missing_anchors"] == ["awareness"]


def test_another_event_starts_nothing() -> None:
    assert told("eu-gdpr/sa", {"discovery": AWARE})["status"] == "not_started"


@pytest.mark.parametrize(
    ("duty", "anchors", "facts", "kind", "says"),
    [
        ("eu-gdrp/sa", {}, {}, RuleError, "near it: eu-gdpr"),
        ("eu-gdpr/boss", {}, {}, RuleError, "it has: sa, individuals, controller"),
        ("eu-gdpr/sa", {"awarenes": AWARE}, {}, AnchorError, "eu-gdpr starts from: awareness"),
        ("eu-gdpr/sa", {"stage:boss": AWARE}, {}, AnchorError, "no anchor"),
        ("eu-gdpr/sa", {"awareness": "2026-11-20T16:30"}, {}, MomentError, "no zone"),
        ("eu-gdpr/sa", {"awareness": AWARE}, {"riks": "high"}, FactError, "risk"),
        ("eu-gdpr/sa", {"awareness": AWARE}, {"risk": "huge"}, FactError, "unlikely"),
    ],
)
def test_what_is_wrong_is_refused_with_what_was_expected(
    duty: str, anchors: dict[str, str], facts: dict[str, str], kind: type[DutiesError], says: str
) -> None:
    with pytest.raises(kind, match=says):
        told(duty, anchors, **facts)


@pytest.mark.parametrize(
    "options",
    [
        ["--anchor", "awareness"],
        ["--anchor", "awareness=2026-03-29T02:30[Europe/Berlin]"],
        ["--anchor", f"awareness={AWARE}", "--anchor", f"awareness={AWARE}"],
        ["--fact", "small_agent=perhaps"],
        ["--fact", "=3"],
    ],
)
def test_the_command_refuses_it_too_and_prints_no_date(options: list[str]) -> None:
    ran = CliRunner().invoke(
        built(["duties"]), ["duties", "clock", "eu-gdpr", "sa", "--json", *options]
    )
    assert isinstance(ran.exception, DutiesError)
    assert ran.stdout == ""


def test_every_stage_that_is_shipped_can_be_asked_for() -> None:
    for regime in BOOK.regimes():
        for stage in regime.stages:
            events = {stage.anchor: AWARE} if stage.anchor != "unknown" else {}
            said = told(f"{regime.id}/{stage.id}", events)
            assert said["derivation"]
            assert said["notice"].startswith("Not legal advice")
            assert said["sources"] == list(stage.sources or regime.sources)
