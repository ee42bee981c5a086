"""Whatever is sampled, nothing is left out for good."""

from hypothesis import given
from hypothesis import strategies as st

from tests.sample import of_the_day

COUNTS = st.integers(1, 12)


@given(COUNTS, COUNTS, st.integers(0, 20), st.integers(700_000, 800_000))
def test_each_case_comes_within_as_many_days_as_there_are_cases(
    count: int, many: int, nth: int, today: int
) -> None:
    cases = range(count)
    days = [of_the_day(cases, nth, many, day, full=False) for day in range(today, today + count)]
    assert {case for day in days for case in day} == set(cases)
    assert all(len(day) == len(set(day)) == min(many, count) for day in days)


@given(COUNTS, st.integers(700_000, 800_000))
def test_as_many_things_as_there_are_cases_meet_all_of_them_in_one_day(
    count: int, day: int
) -> None:
    met = {of_the_day(range(count), nth, 1, day, full=False)[0] for nth in range(count)}
    assert met == set(range(count))


@given(COUNTS, COUNTS)
def test_in_full_all_are_taken_in_their_order(count: int, many: int) -> None:
    assert of_the_day(range(count), 3, many, full=True) == list(range(count))
