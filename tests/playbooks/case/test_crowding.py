"""What is counted for a ceiling: distinct targets, in the order they came, in each place apart."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from actions.aws.target_groups import Serving
from playbooks.case.crowding import alone, crowds, places
from playbooks.case.looking import GROUP_TAG, Seen
from playbooks.case.store.taken import Taken
from playbooks.wiring.automatic_terms import Guard

ACCOUNTS = ("111122223333", "444455556666")
targets = st.builds(
    lambda account, host: f"{account}/eu-west-1/i-{host}",
    st.sampled_from(ACCOUNTS),
    st.integers(0, 6),
)
tags = st.fixed_dictionaries(
    {}, optional={"service": st.sampled_from("ab"), GROUP_TAG: st.sampled_from(["x", "y"])}
)
takes = st.sampled_from(["nothing", "access", "service"])
ARNS = [f"arn:aws:elasticloadbalancing:r:a:targetgroup/{name}/0" for name in "pq"]
ids = st.frozensets(st.sampled_from("12345"), max_size=3)
served = st.lists(st.builds(Serving, st.sampled_from(ARNS), ids, ids), max_size=2).map(tuple)
seen = st.builds(Seen, tags, st.just(frozenset()), served)
GUARD = Guard(account_ceiling=3, service_ceiling=2, group_ceiling=1)


def row(target: str, how: str, what: Seen, live: bool) -> Taken:
    return Taken(target, places(target, how, what, GUARD), live)


rows = st.lists(st.builds(row, targets, takes.filter("nothing".__ne__), seen, st.booleans()))


@given(rows, targets, takes, seen)
def test_a_crowd_is_the_others_of_that_place_that_came_before(
    known: list[Taken], target: str, how: str, what: Seen
) -> None:
    here: dict[str, Any] = places(target, how, what, GUARD)
    found = crowds(known, target, here, GUARD)
    if how == "nothing":
        assert found == ()
        return
    kinds = [kind for kind in ("account", "service", "group") if here[kind]]
    assert [c.ceiling for c in found] == [getattr(GUARD, f"{kind}_ceiling") for kind in kinds]
    for kind, crowd in zip(kinds, found, strict=True):
        there = [r.target for r in known if r.places[kind] == here[kind]]
        first = there.index(target) if target in there else len(there)
        assert crowd.before == set(there[:first])
        assert target not in crowd.before


@given(rows)
def test_as_many_targets_of_a_place_pass_as_its_ceiling_says(known: list[Taken]) -> None:
    """Whatever came before, of any number of targets in turn no more pass by themselves."""
    passed: set[str] = set()
    so_far = [r for r in known if r.places["group"] != f"{ACCOUNTS[0]}/eu-west-1/z"]
    lone = Seen({GROUP_TAG: "z"}, frozenset())
    guard = Guard(account_ceiling=99, service_ceiling=99, group_ceiling=2)
    for number in range(5):
        target = f"{ACCOUNTS[0]}/eu-west-1/i-{number}"
        here = places(target, "access", lone, guard)
        if all(len(c.before) < c.ceiling for c in crowds(so_far, target, here, guard)):
            passed.add(target)
            so_far.append(Taken(target, here, True))
    assert len(passed) == 2


@given(rows, targets, seen)
def test_it_is_alone_where_all_healthy_others_leave(
    known: list[Taken], target: str, what: Seen
) -> None:
    found = alone(known, target, what)
    leaving = {
        (arn, one)
        for r in known
        if r.live and r.target != target and r.places["takes"] == "service"
        for arn, mine in r.places["serving"].items()
        for one in mine
    }
    for s in what.serving:
        name = f"target group {s.arn.split('/')[1]}"
        stays = [one for one in s.others if (s.arn, one) not in leaving]
        assert stays or name in found
    assert len(found) <= len(what.serving)
    assert set(alone(known, target, Seen({}, frozenset()))) == set()
