"""What can change another one goes first, nothing is left out, and a circle is refused."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.errors import SettingsError
from playbooks.rotation.order import Credential, leaked_with, lines, order


def graph(**changes: tuple[str, ...]) -> dict[str, Credential]:
    return {
        name: Credential(name, "secret", f"p/r/secret/{name}", changes=others)
        for name, others in changes.items()
    }


def names(found) -> list[list[str]]:
    return [[turn.credential.name for turn in turns] for turns in found]


@st.composite
def graphs(draw):
    """Graphs without a circle: an edge goes from an earlier to a later one."""
    n = draw(st.integers(1, 7))
    edges = {
        f"c{i}": tuple(f"c{j}" for j in range(i + 1, n) if draw(st.booleans())) for i in range(n)
    }
    shuffled = draw(st.permutations(list(edges)))
    leaked = draw(st.sets(st.sampled_from(shuffled), min_size=1))
    return graph(**{name: edges[name] for name in shuffled}), leaked


def reachable(known, leaked) -> set[str]:
    found: set[str] = set()
    left = list(leaked)
    while left:
        if (one := left.pop()) not in found:
            found.add(one)
            left += known[one].changes
    return found


@given(graphs())
def test_each_that_leaked_has_one_turn_and_none_before_what_can_change_it(drawn):
    known, leaked = drawn
    rounds = names(order(leaked, known))
    flat = [name for turns in rounds for name in turns]
    assert sorted(flat) == sorted(reachable(known, leaked))
    place = {name: i for i, turns in enumerate(rounds) for name in turns}
    for name in flat:
        assert all(place[name] < place[other] for other in known[name].changes)


@given(graphs())
def test_nothing_waits_longer_than_it_must(drawn):
    known, leaked = drawn
    rounds = names(order(leaked, known))
    for earlier, later in pairwise(rounds):
        for name in later:
            assert any(name in known[one].changes for one in earlier)


@given(graphs(), st.data())
def test_a_circle_is_refused_and_named(drawn, data):
    known, leaked = drawn
    name = data.draw(st.sampled_from(sorted(reachable(known, leaked))))
    below = data.draw(st.sampled_from(sorted(reachable(known, {name}) - {name}) or [""]))
    if not below:
        return
    closed = graph(**{n: c.changes + ((name,) if n == below else ()) for n, c in known.items()})
    with pytest.raises(SettingsError, match="can change each other") as refused:
        order(leaked, closed)
    path = str(refused.value).split("rotation: ")[1].split(" can change")[0].split(" -> ")
    assert path[0] == path[-1]
    assert len(path) > 2
    assert all(b in closed[a].changes for a, b in pairwise(path))


def test_one_that_can_change_itself_is_no_circle():
    assert names(order(["a"], graph(a=("a", "b"), b=()))) == [["a"], ["b"]]


def test_a_name_that_is_not_known_is_refused_with_what_is():
    with pytest.raises(SettingsError, match=r"'x' is not among the credentials \(a\)"):
        order(["x"], graph(a=()))


def test_what_is_kept_in_the_target_leaked_with_it_and_of_a_vault_all():
    known = {
        "key": Credential("key", "access_key", "1/aws-global/user/ci", "prod/vault/kv/ci"),
        "db": Credential("db", "database", "1/eu/database/d", "1/eu/secret/s"),
        "role": Credential("role", "vault_static_role", "prod/vault/database/static-roles/x"),
        "kept": Credential("kept", "vault_secret", "test/vault/kv/ci"),
    }
    assert leaked_with("1/aws-global/user/ci", known) == ("key",)
    assert leaked_with("1/eu/secret/s", known) == ("db",)
    assert leaked_with("prod/vault/vault/prod", known) == ("key", "role")
    assert leaked_with("1/aws-global/user/c", known) == ()


def test_the_lines_say_where_each_is_kept_who_reads_it_and_why():
    known = graph(a=("b",), b=())
    first, second = lines(order(["a"], known))
    assert first.startswith("1. a: secret p/r/secret/a")
    assert "nobody that is declared" in first
    assert second.endswith("can be changed or read with a")
