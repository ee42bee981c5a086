"""A freeze at any moment of a play: nothing more is changed, nothing is left half-way, no work is
lost, and after it is lifted the host is contained with one effect."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from actions.action import step_of
from actions.aws.convert_tracked_connections import ConvertTrackedConnections
from actions.aws.isolate_instance import IsolateInstance
from actions.aws.tag_incident import TagIncident
from evidence import ledger
from playbooks.case import store
from playbooks.case.case import Case
from playbooks.case.enter import Body
from playbooks.case.freezing import freeze, halted, unfreeze
from playbooks.case.play import body_of
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.rehearsing import rehearse
from playbooks.case.store import EVERYWHERE, Store
from playbooks.case.story import story
from playbooks.compromised_instance import compromised_instance
from playbooks.desk.cli.init import make
from playbooks.errors import FrozenError, UnknownIncidentError
from playbooks.respond.scratch import scratch
from playbooks.wiring.gated import mutating
from tests.actions.scene import in_child
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.scene import Scene, apart
from tests.sample import of_the_day
from tests.stories.effect import effect


async def converting(case: Case) -> None:
    """Isolate, then convert tracked connections by way of an allow-all group."""
    await case.act(IsolateInstance(case.target))
    await case.act(ConvertTrackedConnections(case.target))


# So many calls a day; all on demand (`make crash-full`).
MANY = 3
WHOLE = body_of(compromised_instance)


def alice(scene: Scene) -> Record:
    return Record("alice", scene.parts.now, scene.parts.random)


def frozen(scene: Scene, account: str = EVERYWHERE) -> None:
    freeze(scene.store, alice(scene), account, "a change goes on")


def thawed(scene: Scene, account: str = EVERYWHERE) -> list[str]:
    return unfreeze(scene.store, alice(scene), account, "it is over")


def due(scene: Scene) -> list[tuple[str, str]]:
    rows = scene.store.read(lambda conn: store.due_work(conn, scene.parts.now()))
    return [(row.incident, row.why) for row in rows if row.why != "alert"]


def at_call(scene: Scene, number: int) -> list[str]:
    """Freeze everything right after the mutating call of that number; return all made, in order."""
    made: list[str] = []

    def called(model: Any, **_: Any) -> None:
        if mutating(model.name):
            made.append(model.name)
            if len(made) == number:
                frozen(scene)

    for service in ("ec2", "iam", "autoscaling", "elbv2"):
        scene.aws(service).meta.events.register("after-call", called)
    return made


def left(scene: Scene, incident: Any) -> dict[str, Any]:
    """Return what stands in the world and in the journal, as JSON; marks differ by chance."""
    found = effect(scene.deployment, scene.parts, incident.id)
    world = found["world"] | {"snapshots": sorted(found["world"]["snapshots"].values())}
    told: dict[str, Any] = json.loads(json.dumps([world, found["journal"]["steps"]]))
    return told


def anew(scene: Scene, name: str) -> Scene:
    """Return the scene with a home of its own: a fork copies the world, not the disk."""
    home = scene.folder / name
    settings = scene.parts.settings.model_copy(update={"home": home})
    make(settings)
    deployment = replace(scene.deployment, home=home, settings=settings)
    parts = deployment.parts()
    return Scene(deployment, scene.folder, parts, Store(parts.engine))


def swept(scene: Scene, body: Body, number: int, wanted: dict[str, Any]) -> None:
    """Freeze after one call, enter, look, lift it, enter again, and look again."""
    incident = scene.take()
    made = at_call(scene, number)
    ended = scene.enter(incident, body)
    after = made[number:]
    # What came after the freeze took half-way changes to their end, and began none.
    assert set(after) <= ENDS, after
    assert left(scene, incident)[0]["open to all"] == []
    if ended.state == "Frozen":
        assert "alice" in ended.says
        residual = scene.case(incident).residual
        assert any("alice" in text or "not in effect" in text for text in residual)
        assert scene.enter(incident, body).state == "Frozen"
        assert made[number:] == after
    else:
        assert left(scene, incident) == wanted
    assert thawed(scene) == ([incident.id] if ended.state == "Frozen" else [])
    assert ((incident.id, "unfreeze") in due(scene)) == (ended.state == "Frozen")
    assert scene.enter(incident, body).state == WELL[body]
    assert left(scene, incident) == wanted


# A quarantine group that was made and stands open; an interface on an allow-all group, and that
# group once nothing is on it.
ENDS = {
    "DeleteSecurityGroup",
    "RevokeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    "ModifyNetworkInterfaceAttribute",
}
WELL = {WHOLE: "Waiting", converting: "Completed"}


@pytest.mark.parametrize("body", list(WELL), ids=["compromised_instance", "converting"])
@apart
def test_after_a_freeze_nothing_is_changed_but_what_stands_half_way(
    scene: Scene, body: Body
) -> None:
    def unfrozen() -> str:
        own = anew(scene, "unfrozen")
        incident, made = own.take(), at_call(own, 0)
        assert own.enter(incident, body).state == WELL[body]
        return json.dumps([len(made), left(own, incident)])

    count, wanted = json.loads(in_child(unfrozen))
    assert count > 5
    for number in of_the_day(range(1, count + 1), many=MANY):
        said = in_child(lambda n=number: swept(anew(scene, f"{n}"), body, n, wanted))  # type: ignore[misc]
        assert not said, f"frozen after call {number} of {count}: {said}"


@apart
def test_what_was_frozen_before_it_began_is_left_and_said(scene: Scene) -> None:
    frozen(scene)
    incident, end = scene.play(WHOLE)
    assert (end.state, incident.status) == ("Frozen", "proposed")
    assert not any(mutating(name) for name in scene.changed())
    said = scene.store.read(lambda conn: story(conn, incident.id))
    assert "alice" in said["frozen"]
    assert {one["kind"] for one in said["left"]} == {"frozen"}
    assert any(kept["artifacts"] for kept in said["evidence"])
    kinds = scene.kinds(incident)
    assert {"case.seal", "action.frozen"} <= set(kinds)
    assert kinds.count("action.frozen") == len(said["left"])
    assert "action.intent" not in kinds


@apart
def test_another_account_s_freeze_binds_nothing_here(scene: Scene) -> None:
    frozen(scene, "999988887777")
    _, end = scene.play(tagging)
    assert end.state == "Completed"
    assert thawed(scene, "999988887777") == []


@apart
def test_lifting_one_of_two_freezes_lets_nothing_go_on(scene: Scene) -> None:
    account = scene.estate.account
    frozen(scene)
    frozen(scene, account)
    incident, end = scene.play(tagging)
    assert end.state == "Frozen"
    assert thawed(scene) == []
    assert scene.enter(incident, tagging).state == "Frozen"
    assert thawed(scene, account) == [incident.id]
    assert scene.enter(incident, tagging).state == "Completed"
    assert scene.changed() == ["CreateTags"]


@apart
def test_a_freeze_stands_once_and_is_lifted_once(scene: Scene) -> None:
    frozen(scene)
    with pytest.raises(FrozenError, match="alice"):
        frozen(scene)
    thawed(scene)
    with pytest.raises(UnknownIncidentError):
        thawed(scene)
    entries = scene.store.read(lambda conn: list(ledger.entries(conn, DEPLOYMENT)))
    assert [e.leaf.kind for e in entries] == ["freeze.set", "freeze.lifted"]
    assert {e.opening.actor for e in entries} == {"alice"}


@apart
def test_a_freeze_lifted_while_a_step_is_left_is_not_missed(scene: Scene) -> None:
    incident = scene.take()
    case = scene.case(incident)
    frozen(scene)
    why = case.gate.frozen()
    assert thawed(scene) == []
    action = TagIncident(case.target, incident.id)
    asyncio.run(halted(case, action, step_of(action), why))
    assert (incident.id, "unfreeze") in due(scene)


@apart
def test_a_dry_run_says_that_it_is_frozen(scene: Scene) -> None:
    incident = scene.take()
    frozen(scene)
    planned = asyncio.run(rehearse(scene.case(incident, tagging)))
    assert [p.decision.may for p in planned] == ["never"]
    assert "alice" in planned[0].decision.why[0]
    # Nor does it matter that what is thrown away has seen neither incident nor freeze.
    with scratch(scene.parts) as (apart_, empty):
        elsewhere = scene.deployment.take(apart_).incident
        case = Case(apart_, empty, elsewhere, tagging, elsewhere.play)
        assert [p.decision.may for p in asyncio.run(rehearse(case))] == ["never"]
