"""A database that cannot commit does not keep a host from being contained, nor hide that it was."""

import pytest

from playbooks.case import store
from playbooks.case.play import body_of
from playbooks.compromised_instance import compromised_instance
from tests.playbooks.respond.away import BROKEN, Failing, alert, answer, emergency, enter_again
from tests.playbooks.scene import Scene, apart

BODY = body_of(compromised_instance)


def contained(scene: Scene) -> list[str]:
    """Return what of the reflex is missing in the world."""
    found, estate = [], scene.estate
    if not scene.aws("iam").list_role_policies(RoleName=estate.role)["PolicyNames"]:
        found.append("sessions are not denied")
    ec2 = scene.aws("ec2")
    kept = ec2.describe_instance_attribute(
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


@pytest.mark.parametrize("how", BROKEN)
@apart
def test_from_the_first_commit_on(scene: Scene, how: str) -> None:
    found = emergency(scene)
    found.refresh()
    failing = Failing(scene.parts.engine, how, 1)
    (ending,) = answer(scene, found, alert(scene))
    assert ending.state == "Completed", ending
    assert contained(scene) == []
    failing.mend()
    assert found.bring_in() > 0
    (incident,) = scene.store.read(store.incidents)
    assert enter_again(scene, incident, BODY).state == "Waiting"
