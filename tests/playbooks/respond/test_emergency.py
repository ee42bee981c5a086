"""A database that cannot commit does not keep a host from being contained, nor hide that it was."""

from collections import Counter
from typing import Any

import pytest

from evidence import ledger
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
    own,
)
from tests.playbooks.scene import Scene, apart

BODY = body_of(compromised_instance)
STEPS = {"deny_instance_sessions", "protect_from_termination", "enter_standby"}


def missing(scene: Scene) -> list[str]:
    """Return what of the reflex is not in effect, as AWS says."""
    found, estate = [], scene.estate
    if not scene.aws("iam").list_role_policies(RoleName=estate.role)["PolicyNames"]:
        found.append("sessions are not denied")
    kept = scene.aws("ec2").describe_instance_attribute(
        InstanceId=estate.target, Attribute="disableApiTermination"
    )
    if not kept["DisableApiTermination"]["Value"]:
        found.append("not protected")
    (group,) = scene.aws("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[estate.scaling_group]
    )["AutoScalingGroups"]
    states = {i["InstanceId"]: i["LifecycleState"] for i in group["Instances"]}
    if states[estate.target] != "Standby":
        found.append("not in standby")
    return found


def recorded(scene: Scene) -> dict[str, Any]:
    """Return what database and ledger say of the one incident; the ledger is whole."""
    (incident,) = scene.store.read(store.incidents)
    scene.store.commit(lambda c: ledger.integrate(c, scene.parts.keys.log, now=scene.parts.now()))
    scene.store.read(ledger.replay)
    entries = Counter(
        (e.leaf.kind, e.body["step"])
        for e in scene.entries(incident)
        if e.leaf.kind in ("action.intent", "action.done")
    )
    steps = scene.steps(incident)
    return {
        "steps": {n: (i.phase, i.verdict, i.plan.before, i.plan.wanted) for n, i in steps.items()},
        "entries": entries,
    }


def well(scene: Scene) -> str:
    """Return what is wrong after recovery; empty when all is done once and recorded once."""
    found = recorded(scene)
    wrong = [*missing(scene)]
    wrong += [f"{n} is {s[:2]}" for n, s in found["steps"].items() if s[:2] != ("done", "verified")]
    wrong += [f"{n} is not recorded" for n in STEPS - set(found["steps"])]
    wrong += [f"{what} is recorded {n} times" for what, n in found["entries"].items() if n != 1]
    if len(found["entries"]) != 2 * len(found["steps"]):
        wrong.append(f"intents and outcomes differ: {found['entries']}")
    return "; ".join(wrong)


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

    for nth in range(1, last + 2):
        said[nth] = in_child(lambda nth=nth: life(nth))
        bases.append(said[nth])
    assert all(text.startswith("well") for text in said.values()), said
    # What was found first is what is given back, whenever the database went.
    assert len(set(bases)) == 1, set(bases)
