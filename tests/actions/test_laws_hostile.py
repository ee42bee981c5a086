"""Every action against a provider that lies, lags or fails at any one of its writes.

`done` stands in the journal only when the world is as it was wanted; once the provider is honest
again, entering again finishes the step, and rolling back undoes it.
"""

import json
from contextlib import suppress

import pytest

from actions.action import Lens
from actions.catalogue import catalogue
from actions.errors import ActionError
from tests.actions.driver import run
from tests.actions.scene import FAULTS, Scene, apart, in_child, mutates, scene

BRIEF = 2.0  # seconds: the limit while the provider lies, so that giving up is soon reached


def strikes(found: Scene) -> list[tuple[str, int]]:
    """Return (operation, nth) of the first and the last changing call of each operation."""

    def names() -> str:
        found.run(found.enter())
        return json.dumps([op for _, op, _ in found.seen if mutates(op)])

    made = json.loads(in_child(names))
    return sorted({(op, n) for op in made for n in (1, made.count(op))})


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


@pytest.mark.parametrize(("name", "fault"), CASES)
@apart
def test_done_is_never_recorded_of_what_is_not_so(name: str, fault: str) -> None:
    found = scene(name)
    calls = strikes(found)
    assert calls
    said = [in_child(lambda call=call: deceived(found, fault, *call)) for call in calls]
    assert set(said) == {""}, "\n".join(said)
