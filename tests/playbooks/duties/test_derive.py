"""Every duty is derived: none is left out, none is guessed, and what is missing starts nothing."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from playbooks.duties import facts_file
from playbooks.duties.anchor_names import anchor_names
from playbooks.duties.changes import changes, date_of, owed
from playbooks.duties.derive import IN_FORCE, Known, by_key, derive
from playbooks.duties.duty import Duty
from playbooks.duties.errors import AnchorError, DutiesError, FactError, MomentError
from playbooks.duties.facts import read
from playbooks.duties.moment import parse
from playbooks.duties.reading import shipped
from playbooks.duties.scope import anchor_tasks, questions
from playbooks.duties.vocabulary import vocabulary

BOOK = shipped()
CALIFORNIAN: dict[str, Any] = {
    "personal_data": True,
    "electronic": True,
    "role": ["controller"],
    "data": ["national_id", "contact"],
    "accessed": True,
    "acquired": True,
    "good_faith": False,
    "encrypted": False,
    "risk": "high",
    "residents": {"CA": 501},
    "counts_complete": True,
    "established_in": ["US"],
}
AWARE = "2026-11-20T16:30[America/Los_Angeles]"
EVENTS = st.sampled_from(sorted(n for n in anchor_names() if ":" not in n))
SOME_FACTS = st.dictionaries(
    st.sampled_from(sorted(n for n, f in vocabulary().facts.items() if f.kind == "yesno")),
    st.booleans(),
    max_size=12,
)


def known(**raw: Any) -> Known:
    return facts_file.known(raw, BOOK)


def of(duties: tuple[Duty, ...], key: str) -> Duty:
    return by_key(duties)[key]


def test_every_stage_of_every_regime_is_a_duty_once() -> None:
    duties = derive(BOOK, Known())
    assert [d.key for d in duties] == [f"{r.id}/{s.id}" for r in BOOK.regimes() for s in r.stages]


def test_of_nothing_known_no_clock_runs_and_nothing_is_said_to_bind() -> None:
    duties = derive(BOOK, Known())
    assert {d.clock.state for d in duties} <= {"not_started", "advisory"}
    assert not any(d.binding or date_of(d) for d in duties)
    assert all(d.applies.settles for d in duties if d.applies.truth is None)


@given(SOME_FACTS, st.dictionaries(EVENTS, st.just(parse(AWARE)), max_size=6))
def test_each_duty_is_dated_or_says_why_not(facts: dict[str, bool], events: Any) -> None:
    for duty in derive(BOOK, Known(read(facts), events)):
        clock = duty.clock
        assert clock.derivation
        assert (clock.state == "due") == (clock.conservative_due is not None)
        assert (clock.conservative_due is None) == (clock.legal_latest is None)
        if clock.conservative_due and clock.legal_latest:
            assert clock.conservative_due.last <= clock.legal_latest.last
            assert clock.counting
        if clock.state == "no_fixed_time":
            assert clock.target or clock.not_before
        if clock.state == "not_started":
            assert clock.missing
        if duty.binding:
            assert clock.state == "due"
            assert duty.confidence == "verified-in-source"
            assert duty.regime.status in IN_FORCE
        if duty.applies.truth is False:
            assert clock.state == "not_applicable"


def test_a_missing_anchor_is_no_other_anchor_but_casts_a_shadow() -> None:
    told = known(
        facts=CALIFORNIAN,
        anchors={"high_risk_determination": AWARE},
        shadows={"acknowledged": AWARE},
    )
    duty = of(derive(BOOK, told), "us-ca/individuals")
    assert duty.clock.state == "not_started"
    assert duty.clock.conservative_due is None
    assert duty.clock.shadow == parse("2026-12-20[America/Los_Angeles]")
    tasks = {t.anchor: t for t in anchor_tasks(derive(BOOK, told))}
    task = tasks["discovery_or_notification"]
    assert "us-ca/individuals" in task.duties
    assert task.earliest is not None


def test_a_stage_starts_from_the_submission_of_its_own_regime_alone() -> None:
    told = known(facts=CALIFORNIAN, anchors={"us-ca/stage:individuals": AWARE})
    duties = derive(BOOK, told)
    assert of(duties, "us-ca/state_regulator").clock.conservative_due == parse(
        "2026-12-05[America/Los_Angeles]"
    )
    assert of(duties, "us-ok/state_regulator").clock.state in ("not_started", "not_applicable")


def test_an_anchor_of_one_regime_wins_there_over_the_one_of_all() -> None:
    told = known(
        facts=CALIFORNIAN,
        anchors={"discovery": AWARE, "us-ca/discovery": "2026-11-01[America/Los_Angeles]"},
    )
    duty = of(derive(BOOK, told), "us-ca/individuals")
    assert duty.clock.conservative_due == parse("2026-12-01[America/Los_Angeles]")


def test_facts_that_change_lose_no_duty_that_was_owed() -> None:
    before = derive(BOOK, known(facts=CALIFORNIAN, anchors={"discovery": AWARE}))
    fewer = {**CALIFORNIAN, "residents": {"CA": 500}}
    after = derive(BOOK, known(facts=fewer, anchors={"discovery": AWARE}))
    told = {c.duty: c for c in changes(before, after)}
    assert told["us-ca/state_regulator"].what == "no_longer_owed"
    assert told["us-ca/state_regulator"].why
    owed_before = {d.key for d in before if owed(d)}
    owed_after = {d.key for d in after if owed(d)}
    assert owed_before - owed_after == {c.duty for c in told.values() if c.what == "no_longer_owed"}
    assert owed_after - owed_before == {c.duty for c in told.values() if c.what == "opened"}


def test_a_derivation_that_changes_nothing_says_nothing() -> None:
    told = known(facts=CALIFORNIAN, anchors={"discovery": AWARE})
    assert changes(derive(BOOK, told), derive(BOOK, told)) == ()


def test_a_later_anchor_moves_the_date_and_says_so() -> None:
    dates = ("2026-11-20[UTC]", "2026-11-22[UTC]")
    one, two = (derive(BOOK, known(facts=CALIFORNIAN, anchors={"discovery": d})) for d in dates)
    assert {c.what for c in changes(one, two)} == {"later"}
    assert {c.what for c in changes(two, one)} == {"earlier"}


def test_it_is_replayed_as_of_any_time() -> None:
    raw = {
        "facts": CALIFORNIAN,
        "changes": [
            {"at": "2026-11-21T09:00Z", "by": "Ada", "anchors": {"discovery": AWARE}},
            {"at": "2026-11-25T09:00Z", "why": "recount", "facts": {"residents.CA": 400}},
            {"at": "2026-11-26T09:00Z", "withdrawn": ["discovery"]},
        ],
    }
    raw["facts"] = {k: v for k, v in CALIFORNIAN.items() if k != "residents"} | {
        "residents.CA": 501
    }
    seen = []
    for at in ("2026-11-20T00:00Z", "2026-11-22T00:00Z", "2026-11-25T10:00Z", "2026-11-27T00:00Z"):
        duties = derive(BOOK, facts_file.known(raw, BOOK, parse(at)))
        seen.append(
            tuple(of(duties, f"us-ca/{s}").clock.state for s in ("individuals", "state_regulator"))
        )
    assert seen == [
        ("not_started", "not_started"),
        ("due", "not_started"),
        ("due", "not_applicable"),
        ("not_started", "not_applicable"),
    ]


def test_questions_come_in_the_order_that_settles_most() -> None:
    asked = questions(derive(BOOK, Known()))
    assert asked[0].waiting > 50
    answered = {"personal_data", "role"}
    rest = questions(derive(BOOK, known(facts={"personal_data": True, "role": "controller"})))
    assert answered & {q.fact for q in rest} == set()
    assert all(q.ask.endswith(("?", ")", ".")) and q.expects for q in asked)


def test_an_answer_to_every_question_settles_every_duty() -> None:
    facts: dict[str, Any] = dict(CALIFORNIAN)
    for _ in range(60):
        asked = questions(derive(BOOK, known(facts=facts)))
        if not asked:
            return
        for question in asked:
            kind = vocabulary().find(question.fact)[1]
            match kind.kind:
                case "yesno":
                    value: Any = False
                case "counts":
                    facts["counts_complete"] = True
                    value = None
                case "count":
                    value = 501
                case "country":
                    value = "DE"
                case "countries":
                    value = ["US"]
                case "some":
                    value = [kind.of[0]]
                case _:
                    value = kind.of[0]
            if value is not None:
                facts[question.fact] = value
    raise AssertionError(f"still asked: {[q.fact for q in asked]}")


@pytest.mark.parametrize(
    ("raw", "kind", "says"),
    [
        ([], FactError, "a mapping"),
        ({"fact": {}}, FactError, "only anchors"),
        ({"facts": {"risk": "maybe"}}, FactError, "risk"),
        ({"anchors": {"awarness": AWARE}}, AnchorError, "awarness is no anchor"),
        ({"anchors": {"stage:individuals": AWARE}}, AnchorError, "REGIME/stage:ID"),
        ({"anchors": {"us-ca/stage:nobody": AWARE}}, AnchorError, "no anchor"),
        ({"anchors": {"us-zz/awareness": AWARE}}, DutiesError, "no such regime"),
        ({"anchors": {"awareness": "2026-11-20T16:30"}}, MomentError, "no zone"),
        ({"anchors": {"awareness": 5}}, FactError, "a time with its zone"),
        ({"shadows": {"awareness": AWARE}}, AnchorError, "only"),
        ({"changes": [{"facts": {}}]}, FactError, r"changes\[0\].at"),
        ({"changes": [{"at": AWARE, "fact": {}}]}, FactError, r"changes\[0\]"),
        ({"holds": [{"authority": "FBI"}]}, FactError, "document, since missing"),
        (
            {"holds": [{"authority": "FBI", "since": AWARE, "document": "x", "written": "no"}]},
            FactError,
            "written: true or false",
        ),
    ],
)
def test_a_file_of_facts_with_an_error_is_refused_with_its_place(
    raw: Any, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        facts_file.known(raw, BOOK)


def test_dates_that_yaml_reads_by_itself_are_taken_or_refused_clearly() -> None:
    told = yaml.safe_load("anchors: {awareness: 2026-11-20T16:30:00Z}")
    assert facts_file.known(told, BOOK).anchors["awareness"] == parse("2026-11-20T16:30Z")
    with pytest.raises(MomentError, match="no zone"):
        facts_file.known(yaml.safe_load("anchors: {awareness: 2026-11-20}"), BOOK)
