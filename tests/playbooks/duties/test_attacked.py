"""What somebody wrote badly, or to do harm, is refused clearly, and never makes a date later."""

from pathlib import Path
from typing import Any

import pytest

from playbooks.duties import facts_file
from playbooks.duties.calculator import calculate
from playbooks.duties.derive import by_key, derive
from playbooks.duties.duty import Duty
from playbooks.duties.errors import AnchorError, DutiesError, FactError, MomentError, RuleError
from playbooks.duties.facts import read
from playbooks.duties.moment import parse
from playbooks.duties.reading import holding, rulebook, shipped
from playbooks.duties.rule import Stage

BOOK = shipped()
RULE = """
jurisdiction: own
place: Own
zone: Europe/Berlin
regimes:
- id: own-contract
  name: A contract
  citation: Clause 1
  status: contractual
  binds: us
  event: a breach
  threshold: any
  starts: awareness
  confidence: secondary-seen
  sources: [the contract]
  applies: {personal_data: true}
  stages:
  - id: second
    recipient: B
    to: other
    anchor: "stage:first"
    deadline: {kind: relative, to: first, order: not_later_than}
  - id: first
    recipient: A
    to: other
    anchor: awareness
    deadline: {kind: relative, to: zero, order: before}
  - id: zero
    recipient: C
    to: other
    anchor: awareness
    deadline: {kind: fixed, value: 24, unit: clock_hour}
"""


def clock(duty: str, *anchors: str, **facts: str) -> Duty:
    regime, _, stage = duty.partition("/")
    events = dict(a.split("=", 1) for a in anchors)
    return calculate(
        BOOK, regime, stage, events, {k.replace("__", "."): v for k, v in facts.items()}
    )


def derived(duty: str, **raw: Any) -> Duty:
    return by_key(derive(BOOK, facts_file.known(raw, BOOK)))[duty]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0001-01-01T00:00[Asia/Tokyo]", "1990 to 2100"),
        ("9999-12-31T23:59[America/New_York]", "1990 to 2100"),
        ("9999-12-31[UTC]", "1990 to 2100"),
        ("2026-11-20T16:30+25:00", "no place has the offset"),
        ("2026-11-20T16:30+20:00", "no place has the offset"),
        ("2026-11-20T16:30+01:75", "no place has the offset"),
        ("2026-11-20T16:30+\u0660\u0661:00", "expected"),
        ("\uff12026-11-20T16:30[UTC]", "expected"),
        ("2026-11-20T16:30[right/Europe/Berlin]", "not a zone"),
        ("2026-11-20T16:30[localtime]", "not a zone"),
        ("2026-11-20T16:30[Factory]", "not a zone"),
        ("x" * 100_000, r"x\.\.\.: a time or a day"),
    ],
)
def test_a_time_that_is_none_is_refused_before_it_is_counted_from(text: str, says: str) -> None:
    with pytest.raises(MomentError, match=says) as refused:
        parse(text)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"anchors": {5: "x"}}, "5: x"),
        ({"anchors": {"awareness": None}}, "leave it out"),
        ({"anchors": {"awareness": "2026-02-30"}}, "awareness: 2026-02-30: there is no such day"),
        ({"holds": 5}, "holds: a list"),
        ({"changes": 5}, "changes: a list"),
        ({"changes": [{"at": "2026-11-25T09:00Z", "withdrawn": 5}]}, "withdrawn: a list"),
        ({"changes": [{"at": "2026-11-25T09:00Z", "withdrawn": ["risk"]}]}, "risk: no fact"),
        ({"shadows": {1: "x", "a": "y"}}, "only"),
        ({"facts": {"role": []}}, "leave it out while it is not known"),
        ({"facts": {"data": ""}}, "leave it out while it is not known"),
        ({"facts": {"member_state": "ZZ"}}, "country code"),
        ({"facts": {"persons_in": {"UK": 40}}}, "UK is GB"),
        ({"facts": {"persons": int("f" * 9000, 16)}}, "thousands of digits"),
        ({"facts": {"residents": {"CA": 5}, "residents.CA": 6}}, "given twice"),
    ],
)
def test_what_is_of_a_wrong_kind_is_refused_with_what_was_expected(raw: Any, says: str) -> None:
    with pytest.raises(DutiesError, match=says):
        facts_file.known(raw, BOOK)


def test_an_absurd_length_of_a_contract_is_refused() -> None:
    anchors = ("awareness=2026-11-20T16:30Z", "per_contract=2026-11-20T16:30Z")
    found = [
        f"{r.id}/{s.id}" for r in BOOK.regimes() for s in r.stages
        if s.deadline.kind == "user_supplied" and s.anchor in ("awareness", "per_contract")
    ]  # fmt: skip
    with pytest.raises(FactError, match="contract_hours: at most"):
        clock(found[0], *anchors, contract_hours="999999999999")


def test_one_event_given_twice_is_refused_and_not_the_later_taken() -> None:
    with pytest.raises(AnchorError, match="given twice"):
        clock("eu-gdpr/sa", "awareness=2026-11-20T16:30Z", "awareness(again)=2026-11-25T16:30Z")


def test_a_recount_of_one_place_keeps_the_others() -> None:
    told = facts_file.known(
        {
            "facts": {"residents": {"CA": 501, "MD": 20}},
            "changes": [
                {"at": "2026-11-26T09:00Z", "facts": {"residents": {"CA": 400}}},
                {"at": "2026-11-25T09:00Z", "facts": {"residents.CA": 498}},
            ],
        },
        BOOK,
    )
    # The later one wins, wherever it stands in the file.
    assert told.facts.given == {"residents.CA": 400, "residents.MD": 20}


def test_who_is_in_the_country_may_be_in_any_of_its_states() -> None:
    abroad = read({"persons_in": {"US": 1000}, "counts_complete": True})
    assert (abroad.span("residents.CA").low, abroad.span("residents.CA").high) == (0, 1000)
    assert abroad.span("residents.any").high == 1000
    home = read({"residents": {"CA": 501}, "counts_complete": True})
    assert home.span("persons_in.US").low == 501
    facts = {"persons_in": {"US": 1000}, "counts_complete": True}
    assert derived("us-ca/individuals", facts=facts).applies.truth is None


@pytest.mark.parametrize(
    ("written_", "last"),
    [
        ("2026-11-20T08:00[Pacific/Honolulu]", "2026-12-20[America/Los_Angeles]"),
        ("2026-11-20[Pacific/Honolulu]", "2026-12-20[America/Los_Angeles]"),
        ("2026-11-20T17:00[Asia/Tokyo]", "2026-12-20[Asia/Tokyo]"),
    ],
)
def test_the_day_ends_where_the_law_counts_or_earlier(written_: str, last: str) -> None:
    due = clock("us-ca/individuals", f"discovery={written_}", residents__CA="501").clock
    assert due.conservative_due
    assert due.legal_latest
    assert due.conservative_due.last <= min(parse(last).last, due.legal_latest.last)
    assert due.legal_latest.last <= parse("2026-12-20[America/Los_Angeles]").last


def test_the_year_is_the_one_of_the_laws_place_where_that_is_earlier() -> None:
    due = clock("us-hipaa/hhs_lt500", "discovery=2027-01-01T00:30[Europe/Berlin]", persons="10")
    assert due.clock.legal_latest == parse("2027-03-01[America/New_York]")


def test_a_law_is_in_force_from_its_first_day_in_its_own_place() -> None:
    # Los Angeles had the evening of 10 September 2026 when Brussels had the morning of the 11th.
    anchor = "awareness=2026-09-10T23:30[America/Los_Angeles]"
    assert clock("eu-cra-vuln/early_warning", anchor).clock.state == "due"


def test_a_notice_that_went_out_late_makes_another_no_later() -> None:
    facts = {"residents.CA": "501"}
    start = "2026-11-20[America/New_York]"
    pairs = [
        (r, s) for r in BOOK.regimes() for s in r.stages
        if s.deadline.kind == "relative" and s.deadline.order != "not_before"
    ]  # fmt: skip
    looked = 0
    for regime, stage in pairs:
        other = regime.stage(str(stage.deadline.to))
        assert isinstance(other, Stage)
        events = {other.anchor: start} if other.anchor != "unknown" else {}
        if not events or other.anchor.startswith("stage:"):
            continue
        before = calculate(BOOK, regime.id, stage.id, events, facts).clock
        late = {**events, f"stage:{other.id}": "2030-01-01[America/New_York]"}
        after = calculate(BOOK, regime.id, stage.id, late, facts).clock
        due, now = (c.conservative_due or c.target for c in (before, after))
        if due and now:
            looked += 1
            assert now.last <= due.last, f"{regime.id}/{stage.id}"
    assert looked


def test_a_request_to_wait_that_came_too_late_moves_nothing() -> None:
    facts = {"personal_data": True, "residents": {"CA": 501}, "counts_complete": True}
    anchors = {"discovery": "2026-03-02[America/Los_Angeles]"}
    hold = {"authority": "FBI", "written": True, "document": "x", "until": "2026-09-01[UTC]"}
    after, before = hold | {"since": "2026-08-01[UTC]"}, hold | {"since": "2026-03-05[UTC]"}
    free, late, soon = (
        derived("us-ca/individuals", facts=facts, anchors=anchors, holds=holds).clock
        for holds in ([], [after], [before])
    )
    assert late.conservative_due == free.conservative_due
    assert "does not undo" in late.derivation[-1]
    assert soon.conservative_due != free.conservative_due
    with pytest.raises(FactError, match="before it began"):
        derived("us-ca/individuals", holds=[hold | {"since": "2026-10-01[UTC]"}])
    with pytest.raises(RuleError, match="no such regime"):
        derived("us-ca/individuals", holds=[hold | {"since": "2026-08-01[UTC]", "regimes": ["us"]}])


def test_stages_that_stand_to_each_other_are_all_dated_whatever_their_order(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(RULE)
    events = {"awareness": "2026-11-20T16:30Z"}
    second = calculate(rulebook(tmp_path), "own-contract", "second", events, {})
    assert second.clock.conservative_due == parse("2026-11-21T16:30Z")


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("id: own-contract", 'id: "own\\e[31m"', "an id has"),
        ("id: own-contract", "id: own/contract", "an id has"),
        (
            "confidence: secondary-seen\n  sources: [the contract]",
            "confidence: verified-in-source\n  sources: []",
            "no sources",
        ),
        ("value: 24", "value: -24", "outside 0"),
        ("value: 24", "value: 999999999999", "outside 0"),
        (
            "kind: fixed, value: 24, unit: clock_hour",
            "kind: end_of_period, month: 2, day: 30",
            "not every year",
        ),
        ("id: own-contract", "id: own-contract\n  id: again", "given twice"),
        ("zone: Europe/Berlin", "zone: localtime", "not a zone"),
    ],
)
def test_a_rule_of_ones_own_with_a_slip_does_not_load(
    tmp_path: Path, was: str, now: str, says: str
) -> None:
    assert was in RULE
    (tmp_path / "own.yaml").write_text(RULE.replace(was, now, 1))
    with pytest.raises(RuleError, match=says):
        rulebook(tmp_path)


@pytest.mark.parametrize("name", ["../facts/eu", "x\0y", "a" * 5000, "", "../../../../etc/passwd"])
def test_a_regime_is_a_name_and_no_path(name: str) -> None:
    with pytest.raises(RuleError, match="no such regime"):
        holding(name).regime(name)


def test_an_earlier_version_that_nobody_read_in_its_source_does_not_bind() -> None:
    looked = 0
    for regime in BOOK.regimes():
        for stage in regime.stages:
            if stage.anchor == "unknown" or stage.anchor.startswith("stage:"):
                continue
            for prior in stage.prior:
                events = {stage.anchor: f"{prior.until}T12:00Z"}
                duty = calculate(BOOK, regime.id, stage.id, events, {})
                if duty.clock.state == "due" and duty.clock.earlier:
                    looked += 1
                    assert not duty.binding, duty.key
    assert looked


def test_a_rule_of_ones_own_is_read_whatever_its_ending(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(RULE)
    assert [r.id for r in rulebook(tmp_path).regimes()] == ["own-contract"]
