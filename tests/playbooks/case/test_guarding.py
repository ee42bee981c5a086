"""The guard in a play: our own role and host, protection, tags and ceilings, as they are met."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import URL, create_engine

from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.instance import Instance
from actions.aws.tag_incident import TagIncident
from playbooks.case.case import Case
from playbooks.case.enter import enter
from playbooks.case.guard import PROTECTED_TAG
from playbooks.case.way_back import go_back, planned
from playbooks.errors import RefusedError
from playbooks.wiring.settings import Account
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.scene import Scene, apart


async def denying(case: Case) -> None:
    await tagging(case)
    await case.act(DenyInstanceSessions(case.target))


@pytest.mark.parametrize("path", ["", "security/"])
@apart
def test_the_role_that_stanch_works_under_is_its_own_unlisted(scene: Scene, path: str) -> None:
    estate = scene.estate
    role = f"arn:aws:iam::{estate.account}:role/{path}{estate.role}"
    scene.set(accounts={estate.account: Account(role=role)})
    incident, end = scene.play(denying)
    assert (end.state, incident.status) == ("Refused", "partial")
    assert scene.changed() == ["CreateTags"]
    (refused,) = [e for e in scene.entries(incident) if e.leaf.kind == "guard.refused"]
    assert refused.body["step"].startswith("deny_instance_sessions/")


@apart
def test_our_own_host_is_refused(scene: Scene) -> None:
    scene.guard(own=(scene.estate.target,))
    incident, end = scene.play(tagging)
    assert (end.state, incident.status) == ("Refused", "refused")
    assert scene.changed() == []


def hanging_on(scene: Scene) -> list[str]:
    """Return the volumes and interfaces of the target."""
    return [*scene.estate.volumes, *scene.estate.interfaces]


@apart
def test_a_host_that_our_ledger_lies_on_is_refused(scene: Scene) -> None:
    parts = hanging_on(scene)
    assert len(parts) == 4
    for number, part in enumerate(parts):
        scene.guard(own=(part,))
        incident, end = scene.play(tagging, id=f"{number:032x}")
        assert (end.state, incident.status) == ("Refused", "refused")
        assert part in end.says
    assert scene.changed() == []


def addresses(scene: Scene) -> list[str]:
    """Return an address of each kind that the target has, and its name."""
    found = scene.aws("ec2").describe_instances(InstanceIds=[scene.estate.target])
    host = found["Reservations"][0]["Instances"][0]
    nics = host["NetworkInterfaces"]
    v4 = [a["PrivateIpAddress"] for n in nics for a in n["PrivateIpAddresses"]]
    v6 = [a["Ipv6Address"] for n in nics for a in n["Ipv6Addresses"]]
    return [v4[-1], v6[-1], host["PrivateDnsName"]]


@apart
def test_the_host_of_our_database_is_ours_unlisted(scene: Scene) -> None:
    for number, address in enumerate(addresses(scene)):
        url = URL.create("postgresql+psycopg", host=address, database="stanch")
        parts = replace(scene.parts, engine=create_engine(url))
        incident = scene.take(id=f"{number:032x}")
        end = asyncio.run(enter(parts, scene.store, incident.id, tagging, incident.play))
        assert (end.state, address in end.says) == ("Refused", True)
    assert scene.changed() == []


@apart
def test_what_became_ours_meanwhile_is_not_undone(scene: Scene) -> None:
    incident, end = scene.play(tagging)
    assert end.state == "Completed"
    scene.guard(own=(hanging_on(scene)[0],))
    case = scene.case(incident)
    with pytest.raises(RefusedError, match="Stanch's own"):
        asyncio.run(go_back(case, asyncio.run(planned(case, "rollback")), "alice"))
    assert scene.changed() == ["CreateTags"]


async def two_hosts(case: Case) -> None:
    await tagging(case)
    sibling = Instance(case.target.account, case.target.region, SIBLING[0])
    await case.act(TagIncident(sibling, case.incident.id))


SIBLING: list[str] = []


@apart
def test_a_further_target_than_the_ceiling_is_asked_about(scene: Scene) -> None:
    SIBLING[:] = [scene.estate.sibling]
    scene.guard(ceiling=1)
    incident, end = scene.play(two_hosts)
    assert end.state == "Waiting"
    question = scene.asked(incident)
    assert any("more than 1 targets" in why for why in question.about["why"])
    assert scene.changed() == ["CreateTags"]
    scene.say(question)
    assert scene.enter(incident, two_hosts).state == "Completed"
    assert scene.changed() == ["CreateTags", "CreateTags"]


@apart
def test_the_tag_that_counts_is_the_acted_on_hosts(scene: Scene) -> None:
    SIBLING[:] = [scene.estate.sibling]
    scene.aws("ec2").create_tags(
        Resources=[scene.estate.sibling], Tags=[{"Key": PROTECTED_TAG, "Value": ""}]
    )
    incident, end = scene.play(two_hosts)
    assert end.state == "Waiting"
    assert scene.asked(incident).scopes[0]["target"].endswith(scene.estate.sibling)


@apart
def test_a_protected_role_is_asked_about_and_nothing_else_is(scene: Scene) -> None:
    scene.guard(protected=(scene.estate.role,))
    incident, end = scene.play(denying)
    assert end.state == "Waiting"
    assert [s["action"] for s in scene.asked(incident).scopes] == ["deny_instance_sessions"]
    assert scene.changed() == ["CreateTags"]


@apart
def test_whoever_may_tag_can_delay_and_never_shield(scene: Scene) -> None:
    scene.aws("ec2").create_tags(
        Resources=[scene.estate.target], Tags=[{"Key": PROTECTED_TAG, "Value": ""}]
    )
    scene.world.calls.clear()
    incident, end = scene.play(tagging)
    assert end.state == "Waiting"
    assert scene.changed() == []
    scene.say(scene.asked(incident))
    assert scene.enter(incident, tagging).state == "Completed"


@apart
def test_the_same_host_again_is_no_further_target(scene: Scene) -> None:
    async def body(case: Case) -> Any:
        await tagging(case)
        await case.act(TagIncident(case.target, case.incident.id), again="to be sure")
        await case.act(TagIncident(case.target, case.incident.id), again="once more")

    scene.guard(ceiling=1)
    _, end = scene.play(body)
    assert end.state == "Completed"
