"""A database that cannot commit does not keep a host from being contained, nor hide that it was."""

import pytest

from playbooks.case import store
from playbooks.case.play import body_of
from playbooks.compromised_instance import compromised_instance
from tests.actions.scene import in_child
from tests.playbooks.respond.away import (
    BROKEN,
    REFLEX,
    Failing,
    alert,
    answer,
    emergency,
    enter_again,
    missing,
    own,
    recorded,
    well,
)
from tests.playbooks.scene import Scene, apart
from tests.sample import of_the_day

BODY = body_of(compromised_instance)
# So many of the commits a day.
MANY = 6


def commits(scene: Scene) -> int:
    """Return how many write transactions the way from the alert through the reflex has."""

    def count() -> str:
        mine = own(scene, "counted")
        found = emergency(mine)
        failing = Failing(mine.parts.engine, "read-only", 10_000)
        answer(mine, found, alert(mine))
        return str(10_000 - failing.left)

    return int(in_child(count))


@pytest.mark.parametrize("how", BROKEN)
@apart
def test_whatever_commit_fails_first_the_host_is_contained_and_all_is_recorded_once(
    scene: Scene, how: str
) -> None:
    """The nth commit fails and each one after it; then the database is back."""
    last, said, bases = commits(scene), {}, []
    assert last > 8

    def life(nth: int) -> str:
        mine = own(scene, str(nth))
        found = emergency(mine)
        found.refresh()
        failing = Failing(mine.parts.engine, how, nth)
        (ending,) = answer(mine, found, alert(mine))
        at_once = missing(mine)
        if ending.state != "Completed" or at_once:
            return f"{ending}; {at_once}"
        failing.mend()
        count = found.bring_in()
        if not found.spool.empty() or found.on:
            return f"{count} imported and more waits"
        (incident,) = mine.store.read(store.incidents)
        enter_again(mine, incident, REFLEX)
        return well(mine) or f"well: {sorted(recorded(mine)['steps'].items())}"

    for nth in of_the_day(range(1, last + 2), many=MANY):
        said[nth] = in_child(lambda nth=nth: life(nth))
        bases.append(said[nth])
    assert all(text.startswith("well") for text in said.values()), said
    # What was found first is what is given back, whenever the database went.
    assert len(bases) >= MANY
    assert len(set(bases)) == 1, set(bases)
