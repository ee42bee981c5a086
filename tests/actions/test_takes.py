"""What each act says that it takes from its target, held against what it leaves the target with."""

from typing import Any

import pytest

from actions.action import Lens
from actions.aws.instance import Instance, describe
from actions.aws.target_groups import serving
from actions.catalogue import catalogue
from tests.actions.scene import Scene, apart, on_vault, scene
from tests.actions.vault import site

LENSES = [name for name, kind in catalogue().items() if issubclass(kind, Lens)]


def served(found: Scene) -> Any:
    """Return what users of the host meet: where it is healthy, its groups, and its lifecycle."""
    host = describe(found.p, Instance(found.world.account, found.world.region, found.estate.target))
    nics = {
        n["NetworkInterfaceId"]: sorted(g["GroupId"] for g in n["Groups"])
        for n in host["NetworkInterfaces"]
    }
    states = found.p.autoscaling.describe_auto_scaling_instances(InstanceIds=[found.estate.target])[
        "AutoScalingInstances"
    ]
    return serving(found.p, host), nics, [s["LifecycleState"] for s in states]


def reached(found: Scene) -> Any:
    """Return what the host may reach: its profile and the policies of its role."""
    host = describe(found.p, Instance(found.world.account, found.world.region, found.estate.target))
    policies = found.p.iam.list_role_policies(RoleName=found.estate.role)["PolicyNames"]
    nics = found.p.ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [found.estate.target]}]
    )["NetworkInterfaces"]
    tracking = [n.get("ConnectionTrackingConfiguration") for n in nics]
    return host.get("IamInstanceProfile"), sorted(policies), tracking


def met(found: Scene, name: str) -> tuple[Any, Any]:
    """Return what is served and what the target reaches, on a host or in a Vault."""
    return site.met(found.estate) if on_vault(name) else (served(found), reached(found))


@pytest.mark.parametrize("name", LENSES)
@apart
def test_an_act_takes_no_more_than_it_says(name: str) -> None:
    found = scene(name)
    before = met(found, name)
    found.run(found.enter())
    takes = found.action.takes
    after = met(found, name)
    if takes != "service":
        assert after[0] == before[0]
    if takes == "nothing":
        assert after[1] == before[1]
