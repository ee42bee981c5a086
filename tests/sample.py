"""What a run takes of a law that has more cases than a run has time for: other ones each day.

    for case in of_the_day(cases, nth): ...
    @pytest.mark.parametrize("case", each_of_the_day(cases))

Over as many days as there are cases, each one is taken. `make crash-full` (STANCH_CRASH=full) takes
all of them at once. The day stands in the head of what pytest prints, and STANCH_DAY=<number>
repeats its sample.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from _pytest.mark import ParameterSet

T = TypeVar("T")

FULL = os.environ.get("STANCH_CRASH") == "full"
# Kept for the processes that are started from here: a run that begins before midnight ends with
# the sample that it began with.
DAY = int(os.environ.setdefault("STANCH_DAY", str(datetime.now(UTC).toordinal())))
SAYS = "take all with STANCH_CRASH=full (`make crash-full`)"


def of_the_day(
    cases: Sequence[T], nth: int = 0, many: int = 1, day: int = DAY, full: bool = FULL
) -> list[T]:
    """Return `many` of the cases, the next ones each day; `nth` is where the first day begins.

    Who goes through the cases of several things at once gives each another `nth`, so that one day
    does not take the same case of all.
    """
    if full or many >= len(cases):
        return list(cases)
    first = (nth + day) * many
    return [cases[(first + i) % len(cases)] for i in range(many)]


def each_of_the_day(cases: Sequence[Any], nth: int = 0, many: int = 1) -> list[Any]:
    """Return parameters for all cases, those of other days marked to be skipped."""
    taken = of_the_day(range(len(cases)), nth, many)
    another = pytest.mark.skip(reason=f"another day's: {SAYS}")
    return [
        case if number in taken else _marked(case, another) for number, case in enumerate(cases)
    ]


def _marked(case: Any, mark: Any) -> Any:
    if isinstance(case, ParameterSet):
        return pytest.param(*case.values, id=case.id, marks=[*case.marks, mark])
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=mark)
