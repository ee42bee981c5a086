"""Every action against a provider that lies, lags or fails at any one of its writes.

`done` stands in the journal only when the world is as it was wanted; once the provider is honest
again, entering again finishes the step, and rolling back undoes it.

Each day an action meets some of the faults, each at one of its writes, and over the days every
fault at every write; in full it meets them all at once (tests/sample.py).
"""

import functools
import itertools
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import pytest

from actions.action import Lens
from actions.catalogue import catalogue
from actions.errors import ActionError
from tests.actions.driver import run
from tests.actions.scene import FAULTS, Scene, floor, in_child, mutates, scene
from tests.sample import DAY, SAYS, of_the_day

BRIEF = 2.0  # seconds: the limit while the provider lies, so that giving up is soon reached


Strike = tuple[str, int]


def strikes(found: Scene) -> list[Strike]:
    """Return (operation, nth) of the first and the last changing call of each operation."""

    def names() -> str:
        found.run(found.enter())
        return json.dumps([op for _, op, _ in found.seen if mutates(op)])

    made = json.loads(in_child(names))
    return sorted({(op, n) for op in made for n in (1, made.count(op))})


@functools.cache
def strikes_of(name: str) -> list[Strike]:
    """Return those of an action, found out once for all faults."""
    floor(name)
    return [(op, n) for op, n in json.loads(in_child(lambda: json.dumps(strikes(scene(name)))))]


def is_wanted(found: Scene) -> bool:
    """Return whether the world is as the step wants it."""
    if not isinstance(found.action, Lens):
        return isinstance(found.action.find(found.p, found.intent.mark), dict)
    now = found.read()
    return all(found.action.same(k, now.get(k), v) for k, v in found.intent.plan.wanted.items())


def deceived(found: Scene, fault: str, operation: str, nth: int) -> None:
    """Enter against the fault, check what was recorded, and enter again without it."""
    before = found.read() if isinstance(found.action, Lens) else {}
    via = found.action.via(before) if isinstance(found.action, Lens) else None
    held = via is None
    kind = type(found.action)
    limit, kind.limit, kind.apart, kind.window = kind.limit, BRIEF, BRIEF / 2, BRIEF

    def pass_time(seconds: float) -> None:
        nonlocal held
        found.world.tick(seconds)
        if via and seconds == via.dwell:
            now = found.read()
            held = all(found.action.same(k, now.get(k), v) for k, v in via.values.items())

    found.inject(fault, operation, nth)
    with suppress(ActionError):
        run(found.enter(), pass_time)
    kind.limit = limit
    if fault == "stale":
        for _ in range(6):
            found.idle()
    recorded = found.journal.find(found.step)
    if recorded and recorded.phase == "done":
        assert is_wanted(found), "recorded as done, and is not so"
        assert held, "recorded as done, and the way there was not taken"
    if fault == "late":
        for _ in range(6):
            found.idle()  # what comes late has come
    found.run(found.enter())
    assert found.intent.phase == "done"
    assert is_wanted(found)
    if isinstance(found.action, Lens):
        found.run(found.back())
        now = found.read()
        assert {k: v for k, v in before.items() if not found.action.same(k, now.get(k), v)} == {}


# Throttled and failed are the same to a lens: it writes again.
CASES = [
    (name, fault)
    for name, kind in catalogue().items()
    for fault in FAULTS
    if fault != "failed" or not issubclass(kind, Lens)
]
NAMES = [*catalogue()]
# So many faults an action meets a day.
MANY = 3


def meetings(faults: Sequence[str], calls: Sequence[Strike]) -> list[tuple[str, Strike]]:
    """Return each fault with each call, so that those next to each other are all different."""
    return [
        (fault, calls[(turn + nth) % len(calls)])
        for turn in range(len(calls))
        for nth, fault in enumerate(faults)
    ]


def faults_of(name: str) -> list[str]:
    return [fault for one, fault in CASES if one == name]


def today(name: str, calls: Sequence[Strike], day: int = DAY) -> list[tuple[str, Strike]]:
    """Return the faults that an action meets on that day, each with the call that it meets."""
    return of_the_day(meetings(faults_of(name), calls), NAMES.index(name), MANY, day)


@pytest.mark.parametrize(("name", "fault"), CASES)
def test_done_is_never_recorded_of_what_is_not_so(name: str, fault: str) -> None:
    # Which faults come does not depend on the calls: an action that is not met is not arranged.
    if fault not in dict(today(name, [("", 1)])):
        pytest.skip(f"another day's fault: {SAYS}")
    calls = [call for one, call in today(name, strikes_of(name)) if one == fault]
    assert calls
    floor(name)
    said = [in_child(lambda call=call: deceived(scene(name), fault, *call)) for call in calls]
    assert set(said) == {""}, "\n".join(said)


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_leaves_no_fault_at_no_write_out_for_good(name: str) -> None:
    for count in range(1, 8):
        calls = [("Put", n) for n in range(count)]
        every = set(itertools.product(faults_of(name), calls))
        days = [today(name, calls, DAY + n) for n in range(len(every))]
        assert {pair for met in days for pair in met} == every
        for n, met in enumerate(days):
            faults = set(dict(met))
            assert len(faults) >= MANY
            assert faults == set(dict(today(name, [("", 1)], DAY + n)))


@pytest.mark.parametrize("ahead", range(8))
def test_each_fault_meets_a_fifth_of_all_actions_each_day(ahead: int) -> None:
    met = Counter(fault for name in NAMES for fault, _ in today(name, [("", 1)], DAY + ahead))
    able = Counter(fault for _, fault in CASES)
    assert met.keys() == FAULTS.keys()
    assert all(met[fault] * 5 >= able[fault] for fault in FAULTS)
