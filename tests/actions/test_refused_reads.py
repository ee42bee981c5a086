"""A read that is refused is told as refused: never taken for absence, nor for nothing to do."""

import pytest

from actions.action import Lens
from actions.catalogue import catalogue
from actions.engine import calling, plan
from actions.errors import ProviderError
from actions.one_way import foresee
from playbooks.drills.range.injectors import FailedCall
from tests.actions.scene import Scene, apart, in_child, scene

ON_PRINCIPALS = [
    name
    for name, kind in catalogue().items()
    if {"principal", "person", "function", "rule", "anchor", "arn"} & set(kind.__annotations__)
    and ".vault." not in kind.__module__
]
# How many sessions a denial hits is good to know, and no reason not to deny.
ASIDE = {"LookupEvents"}


def looked(found: Scene) -> None:
    """Ask all that is asked before an act."""
    if isinstance(found.action, Lens):
        plan(found.action, found.p)
    else:
        foresee(found.action, found.p)
        calling(found.p, lambda: found.action.find(found.p, "a mark"))


def refused(found: Scene, operation: str, nth: int) -> None:
    found.world.inject(FailedCall(code="AccessDenied", status=403), operation, nth)
    with pytest.raises(ProviderError) as caught:
        looked(found)
    assert (caught.value.operation, caught.value.code) == (operation, "AccessDenied")
    assert not caught.value.passing


@pytest.mark.parametrize("name", ON_PRINCIPALS)
@apart
def test_a_refused_read_is_told_as_refused(name: str) -> None:
    found = scene(name)
    looked(found)
    made = [operation for _, operation, _ in found.seen]
    strikes = {(op, n) for op in set(made) - ASIDE for n in (1, made.count(op))}
    assert strikes
    said = [in_child(lambda strike=strike: refused(found, *strike)) for strike in sorted(strikes)]
    assert set(said) == {""}, "\n".join(said)


def test_it_is_tried_of_users_roles_people_and_what_they_leave() -> None:
    assert {
        "deny_principal",
        "deny_role_sessions",
        "remove_account_assignments",
        "stop_function",
        "disable_event_rule",
        "remove_identity_provider",
    } <= set(ON_PRINCIPALS)
