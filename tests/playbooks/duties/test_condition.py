"""Predicates answer yes, no or unknown, and an unknown names what would settle it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.duties.condition import Compare, condition
from playbooks.duties.errors import FactError, RuleError
from playbooks.duties.facts import Facts, read
from playbooks.duties.vocabulary import vocabulary

WORDS = vocabulary()
FACTS = {
    "personal_data": st.booleans(),
    "encrypted": st.booleans(),
    "risk": st.sampled_from(["unlikely", "possible", "high"]),
    "role": st.sampled_from(["controller", "processor"]),
    "residents.CA": st.integers(0, 1000),
}
LEAVES = st.sampled_from(
    [
        {"personal_data": True},
        {"encrypted": False},
        {"risk": {">=": "possible"}},
        {"risk": {"<": "high"}},
        {"role": "processor"},
        {"residents.CA": {">": 500}},
        {"residents.CA": {"<=": 500}},
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda part: (
        st.lists(part, min_size=1, max_size=3).map(lambda p: {"all": p})
        | st.lists(part, min_size=1, max_size=3).map(lambda p: {"any": p})
        | part.map(lambda p: {"not": p})
    ),
    max_leaves=8,
)
WHOLE = st.fixed_dictionaries(FACTS)


@given(TREES, WHOLE, st.sets(st.sampled_from(sorted(FACTS))))
def test_more_facts_never_change_an_answer_but_an_unknown(
    tree: dict[str, Any], whole: dict[str, Any], hidden: set[str]
) -> None:
    asked = condition(tree, WORDS, "test")
    partly = read({name: v for name, v in whole.items() if name not in hidden})
    before, after = asked.answer(partly), asked.answer(read(whole))
    assert after.truth is not None
    assert before.truth in (None, after.truth)
    assert set(before.settles) <= hidden
    assert bool(before.settles) == (before.truth is None)
    assert before.why


@given(TREES, WHOLE)
def test_not_turns_it(tree: dict[str, Any], whole: dict[str, Any]) -> None:
    facts = read(whole)
    one = condition(tree, WORDS, "test").answer(facts).truth
    assert condition({"not": tree}, WORDS, "test").answer(facts).truth is (not one)


@given(st.integers(0, 2000), st.integers(0, 2000), st.sampled_from([">", ">=", "<", "<="]))
def test_a_threshold_stands_exactly_at_its_edge(count: int, bound: int, op: Any) -> None:
    truth = Compare("residents.CA", op, bound).answer(Facts({"residents.CA": count})).truth
    expected = {
        ">": count > bound,
        ">=": count >= bound,
        "<": count < bound,
        "<=": count <= bound,
    }
    assert truth is expected[op]


@given(st.dictionaries(st.sampled_from(["CA", "NY", "TX"]), st.integers(0, 800)), st.integers(0, 3))
def test_what_is_not_counted_yet_lies_within_its_span(counts: dict[str, int], more: int) -> None:
    told = {f"residents.{place}": n for place, n in counts.items()}
    total = sum(counts.values()) + more
    for facts in (Facts(told), Facts({**told, "persons": total})):
        elsewhere = facts.span("residents.WY")
        assert elsewhere.low == 0
        assert elsewhere.high is None or elsewhere.high == more
        most = facts.span("residents.any")
        assert most.low == max(counts.values(), default=0)
        assert most.high is None or most.high >= most.low
    assert Facts({**told, "persons": total}).span("persons").low == total
    if counts:
        assert Facts(told, closed=True).span("residents.WY").high == 0


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({}, "not empty"),
        (None, "not empty"),
        ({"all": []}, "a list of predicates"),
        ({"personal_dta": True}, "no rule asks for such a fact; near it: personal_data"),
        ({"residents": {">": 5}}, "two letters of a US state"),
        ({"residents.XX": {">": 5}}, "two letters of a US state"),
        ({"residents.CA": 500}, "a count is compared"),
        ({"residents.CA": {"=>": 500}}, "with a bound"),
        ({"residents.CA": {">": "many"}}, "a whole number"),
        ({"risk": "maybe"}, "one of unlikely, possible, high"),
        ({"personal_data": {">": True}}, "only counts and levels"),
        ({"role": ["owner"]}, "one or more of"),
    ],
)
def test_a_predicate_with_an_error_does_not_load_and_says_where(raw: Any, says: str) -> None:
    with pytest.raises(RuleError, match=r"here\.applies") as caught:
        condition(raw, WORDS, "here.applies")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"residents.CA": "many"}, "a whole number"),
        ({"residents.CA": -1}, "a whole number"),
        ({"residents.CA": True}, "a whole number"),
        ({"residents.CA": 1.5}, "a whole number"),
        ({"small_agent": "perhaps"}, "true or false"),
        ({"small_agent": 1}, "true or false"),
        ({"member_state": "Germany"}, "ISO 3166"),
        ({"member_state": False}, "ISO 3166"),
        ({"role": "owner"}, "controller, processor"),
        ({"no_such_fact": 1}, "no rule asks"),
        ({"residents.any": 4}, "count per place"),
        ({"persons": 1, "affected": 2}, "given twice"),
        ({"persons": 10, "residents": {"CA": 11}}, "add up to 11"),
    ],
)
def test_a_fact_of_the_wrong_type_is_refused(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(FactError, match=says):
        read(raw)


def test_every_wrong_fact_is_told_at_once() -> None:
    with pytest.raises(FactError, match=r"risk.*small_agent"):
        read({"risk": 7, "small_agent": 8})
