"""The guard: what is ours is never touched; tags and settings only ever make it stricter."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.case.guard import (
    PROTECTED_TAG,
    Crowd,
    Facts,
    Limits,
    Scope,
    beyond,
    decide,
    target_of,
    touched,
)

STRICT = {"yes": 0, "ask": 1, "never": 2}
words = st.text("abcdef", min_size=1, max_size=3)
some = st.frozensets(words, max_size=4)
scopes = st.builds(
    Scope,
    words,
    words,
    st.lists(words, max_size=4).map(tuple),
    st.lists(words, max_size=3).map(tuple),
)
crowds = st.builds(Crowd, place=words, before=some, ceiling=st.integers(1, 4))
facts = st.builds(
    Facts,
    scope=scopes,
    touched=some,
    destroys=st.booleans(),
    undoes=st.booleans(),
    hindrances=st.lists(words, max_size=2).map(tuple),
    tags=st.dictionaries(words | st.just(PROTECTED_TAG), words, max_size=3),
    targets=some,
    crowds=st.lists(crowds, max_size=3).map(tuple),
    alone=st.lists(words, max_size=2).map(tuple),
    unread=st.just("") | words,
)
limits = st.builds(Limits, own=some, protected=some, ceiling=st.integers(1, 5))


def strict(one: Facts, limit: Limits) -> int:
    return STRICT[decide(one, limit).may]


@given(facts, limits, words)
def test_what_is_ours_is_refused_whatever_else_holds(f: Facts, limit: Limits, id: str) -> None:
    ours = replace(f, touched=f.touched | {id})
    decision = decide(ours, replace(limit, own=limit.own | {id}))
    assert decision.may == "never"
    assert id in decision.why[0]


@given(facts, limits, st.dictionaries(words | st.just(PROTECTED_TAG), words, max_size=3))
def test_a_tag_makes_it_stricter_and_never_refuses(
    f: Facts, limit: Limits, more: Mapping[str, str]
) -> None:
    tagged = replace(f, tags={**more, **f.tags})
    assert strict(tagged, limit) >= strict(f, limit)
    if strict(f, limit) < 2:
        assert strict(tagged, limit) < 2


@given(facts, limits)
def test_a_reason_to_ask_is_never_passed_over(f: Facts, limit: Limits) -> None:
    reasons = (
        f.hindrances
        or f.destroys
        or f.undoes
        or PROTECTED_TAG in f.tags
        or f.touched & limit.protected
        or len(f.targets | {f.scope.target}) > limit.ceiling
        or any(len(c.before - {f.scope.target}) >= c.ceiling for c in f.crowds)
        or f.alone
        or f.unread
    )
    decision = decide(f, limit)
    assert (decision.may != "yes") == bool(reasons or f.touched & limit.own)
    assert bool(decision.why) == (decision.may != "yes")


@given(facts, limits, some, some)
def test_settings_that_list_more_are_stricter(f: Facts, limit: Limits, own: Any, kept: Any) -> None:
    more = replace(limit, own=limit.own | own, protected=limit.protected | kept)
    assert strict(f, more) >= strict(f, limit)


@given(facts, limits)
def test_a_lower_ceiling_is_stricter(f: Facts, limit: Limits) -> None:
    assert strict(f, replace(limit, ceiling=1)) >= strict(f, limit)


@given(facts, limits, st.lists(crowds, max_size=3), st.lists(words, max_size=2), some)
def test_more_that_is_known_of_others_is_stricter_and_never_refuses(
    f: Facts, limit: Limits, more: Any, alone: Any, before: Any
) -> None:
    wider = tuple(replace(c, before=c.before | before) for c in f.crowds)
    for grown in (
        replace(f, crowds=(*f.crowds, *more)),
        replace(f, alone=(*f.alone, *alone)),
        replace(f, unread="AccessDenied"),
        replace(f, crowds=wider),
        replace(f, crowds=tuple(replace(c, ceiling=1) for c in f.crowds)),
        replace(f, targets=f.targets | before),
        replace(f, destroys=True),
        replace(f, undoes=True),
        replace(f, hindrances=(*f.hindrances, "why")),
    ):
        assert strict(grown, limit) >= strict(f, limit)
        assert (strict(grown, limit) == 2) == (strict(f, limit) == 2)


@given(scopes)
def test_what_was_approved_lies_within(scope: Scope) -> None:
    assert beyond(scope, [scope.json()]) == ()


@given(scopes, words, st.booleans())
def test_what_was_approved_covers_less_and_not_more(scope: Scope, word: str, lost: bool) -> None:
    wider = replace(
        scope,
        keys=scope.keys if lost else (*scope.keys, word),
        lost=(*scope.lost, word) if lost else scope.lost,
    )
    assert beyond(scope, [wider.json()]) == ()
    grown = wider.json() != scope.json() and set(wider.keys) | set(wider.lost) > set(
        scope.keys
    ) | set(scope.lost)
    more = beyond(wider, [scope.json()])
    if grown:
        assert any(word in text for text in more)


@given(scopes, words)
def test_another_class_or_target_was_not_asked_for(scope: Scope, word: str) -> None:
    for other in (
        replace(scope, action=scope.action + word),
        replace(scope, target=scope.target + word),
    ):
        assert beyond(other, [scope.json()])
    assert beyond(scope, []) != ()


ACCOUNT = "111122223333"
ROLE = "policy/stanch-responder"


@pytest.mark.parametrize(
    "own",
    [
        "stanch-responder",
        f"arn:aws:iam::{ACCOUNT}:role/stanch-responder",
        f"arn:aws:iam::{ACCOUNT}:role/security/tools/stanch-responder",
        f"arn:aws-cn:iam::{ACCOUNT}:role/stanch-responder",
    ],
)
def test_our_role_is_known_by_name_and_by_any_arn(own: str) -> None:
    met = touched(ACCOUNT, (ROLE,), f"{ACCOUNT}/eu-west-1/i-0a")
    scope = Scope("deny", f"{ACCOUNT}/eu-west-1/i-0a", (ROLE,))
    f = Facts(scope, met, False, False, (), {}, frozenset())
    assert decide(f, Limits(own=frozenset({own}))).may == "never"


def test_a_role_of_the_same_name_elsewhere_is_not_ours() -> None:
    met = touched(ACCOUNT, (ROLE,), f"{ACCOUNT}/eu-west-1/i-0a")
    f = Facts(Scope("deny", "t", (ROLE,)), met, False, False, (), {}, frozenset())
    other = "arn:aws:iam::999988887777:role/stanch-responder"
    assert decide(f, Limits(own=frozenset({other}))).may == "yes"


@pytest.mark.parametrize("own", ["i-0a", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-0a"])
def test_our_host_is_known_by_id_and_by_arn(own: str) -> None:
    met = touched(ACCOUNT, (), f"{ACCOUNT}/eu-west-1/i-0a")
    f = Facts(Scope("a", "t", ()), met, False, False, (), {}, frozenset())
    assert decide(f, Limits(own=frozenset({own}))).may == "never"


def test_a_step_meant_twice_is_still_one_target() -> None:
    assert target_of("keep/1/2/i-0a#again") == target_of("act/1/2/i-0a") == "1/2/i-0a"
