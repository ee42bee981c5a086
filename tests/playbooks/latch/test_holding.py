"""Whom incidents hold and whom the latch names are compared; neither side's more goes unsaid."""

from hypothesis import given
from hypothesis import strategies as st

from playbooks.latch.holding import compared

CANARY = "arn:aws:iam::111122223333:role/stanch-canary"
ARNS = st.sampled_from([CANARY, *(f"arn:aws:iam::111122223333:user/{n}" for n in "abcd")])


@given(st.sets(ARNS), st.dictionaries(ARNS, st.sampled_from(["INC-1", "INC-2"])))
def test_every_difference_is_said_once_and_well_is_said_of_none(named, held):
    found = list(compared(named, held, "stanch-canary"))
    lacking = [one for one in found if one.level == "bad"]
    spare = [one for one in found if one.level == "warn"]
    assert [one.what.split()[2].rstrip(",") for one in lacking] == sorted(held.keys() - named)
    assert [one.what.split()[3].rstrip(",") for one in spare] == sorted(named - held.keys())
    assert all(one.what.startswith(held[one.what.split()[2].rstrip(",")]) for one in lacking)
    assert ([one.level for one in found] == ["ok"]) == (named == held.keys())


def test_a_canary_that_is_left_is_known_for_one():
    [said] = compared([CANARY], {}, "stanch-canary")
    assert "a check that was killed" in said.what
