"""An authority's request to wait moves a date only where the rule lets it."""

from dataclasses import replace

import pytest

from playbooks.duties.derive import Known, by_key, derive
from playbooks.duties.duty import Duty
from playbooks.duties.facts import read
from playbooks.duties.holding_up import Hold
from playbooks.duties.moment import parse
from playbooks.duties.reading import shipped

ZONE = "[America/New_York]"
FACTS = read(
    {
        "residents": {"CA": 501, "MD": 5, "ME": 5},
        "counts_complete": True,
        "personal_data": True,
        "hipaa_entity": True,
        "member_state": "DE",
    }
)
FOUND = parse("2026-03-02" + ZONE)
OPEN = Hold("FBI", parse("2026-03-10" + ZONE), written=True, document="letter of 10 March")


def duty(key: str, *holds: Hold) -> Duty:
    names = ("discovery", "awareness", "determination_of_materiality", "reasonable_belief")
    told = Known(FACTS, dict.fromkeys(names, FOUND), holds=holds)
    return by_key(derive(shipped(), told))[key]


def ended(until: str, **more: object) -> Hold:
    return replace(OPEN, until=parse(until + ZONE), **more)  # type: ignore[arg-type]


def test_where_the_rule_allows_it_the_date_moves_and_says_why() -> None:
    free, waited = duty("us-ca/individuals"), duty("us-ca/individuals", ended("2026-06-30"))
    assert free.clock.conservative_due == parse("2026-04-01" + ZONE)
    assert waited.clock.conservative_due == parse("2026-06-30" + ZONE)
    assert "FBI" in waited.clock.derivation[-1]
    assert free.clock.legal_latest in [a.due for a in waited.clock.alternatives]


def test_a_hold_without_an_end_moves_nothing_yet() -> None:
    waited = duty("us-ca/individuals", OPEN)
    assert waited.clock.conservative_due == duty("us-ca/individuals").clock.conservative_due
    assert "Record its end" in waited.clock.derivation[-1]


def test_a_hold_that_ends_before_the_date_leaves_it() -> None:
    waited = duty("us-ca/individuals", ended("2026-03-12"))
    assert waited.clock.conservative_due == duty("us-ca/individuals").clock.conservative_due


def test_one_for_other_regimes_is_not_told_here() -> None:
    assert (
        duty("us-ca/individuals", ended("2026-06-30", regimes=("us-md",))).clock
        == duty("us-ca/individuals").clock
    )


@pytest.mark.parametrize("key", ["eu-gdpr/sa", "us-nydfs/superintendent", "us-bank-36h/regulator"])
def test_where_the_rule_does_not_allow_it_the_date_stands(key: str) -> None:
    held, free = duty(key, ended("2027-06-30")), duty(key)
    assert held.clock.conservative_due == free.clock.conservative_due
    assert held.clock.legal_latest == free.clock.legal_latest


def test_hipaa_waits_thirty_days_at_most_for_a_word_of_mouth() -> None:
    late = replace(OPEN, since=parse("2026-04-20" + ZONE), until=parse("2026-12-31" + ZONE))
    written = duty("us-hipaa/individuals", late)
    oral = duty("us-hipaa/individuals", replace(late, written=False))
    assert written.clock.conservative_due == parse("2026-12-31" + ZONE)
    assert oral.clock.conservative_due == parse("2026-05-20" + ZONE)


def test_maryland_gives_seven_days_after_the_hold() -> None:
    waited = duty("us-md/individuals", ended("2026-06-01"))
    assert waited.clock.conservative_due == parse("2026-06-08" + ZONE)
    cleared_in_time = duty("us-md/individuals", ended("2026-04-12"))
    assert cleared_in_time.clock.conservative_due == parse("2026-04-16" + ZONE)
