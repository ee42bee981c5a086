"""A release gives the host back and leaves stolen sessions dead until they have run out."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from actions.aws.deny_instance_sessions import ROOM, DenyInstanceSessions
from actions.aws.narrow_instance_sessions import INSTANCE_LIFE, MARGIN
from actions.aws.shorten_connection_tracking import ShortenConnectionTracking
from actions.aws.tag_incident import TagIncident
from playbooks.case import freezing, store, way_back
from playbooks.case.answers import Waiting
from playbooks.case.case import Case
from playbooks.case.incident import Incident
from playbooks.errors import FrozenError, RefusedError
from tests.playbooks.case.test_approvals import shorten
from tests.playbooks.scene import Scene, apart

DENIED, RELEASED = store.RELEASED


async def containing(case: Case) -> None:
    await case.act(DenyInstanceSessions(case.target))
    await case.act(ShortenConnectionTracking(case.target))
    await case.act(TagIncident(case.target, case.incident.id))


def back(scene: Scene, incident: Incident, verb: Any = "release", **more: Any) -> Any:
    """Plan and go; return the ends, or the question that waits."""
    case = scene.case(incident)

    async def work() -> Any:
        undos = await way_back.planned(case, verb, more.get("number"))
        try:
            return await way_back.go_back(case, undos, "alice", more.get("number"), verb)
        except Waiting as waiting:
            return waiting.question

    return asyncio.run(work())


def released(scene: Scene, incident: Incident, verb: Any = "release") -> Any:
    """Go the way back with another person's yes."""
    back(scene, incident, verb)
    scene.say(scene.asked(incident))
    return back(scene, incident, verb)


def works(scene: Scene, keys: Any) -> bool:
    """Whether these credentials still get anything."""
    client = scene.world.session(keys).client("ec2")
    try:
        client.describe_instances()
    except ClientError as error:
        if error.response["Error"]["Code"] != "UnauthorizedOperation":
            raise
        return False
    return True


def policies(scene: Scene) -> dict[str, Any]:
    iam, role = scene.aws("iam"), scene.estate.role
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {n: iam.get_role_policy(RoleName=role, PolicyName=n)["PolicyDocument"] for n in names}


def state(scene: Scene) -> Any:
    """Return what the play's acts change, as it is now."""
    ec2, host = scene.aws("ec2"), scene.estate.target
    found = ec2.describe_instances(InstanceIds=[host])["Reservations"][0]["Instances"][0]
    nics = ec2.describe_network_interfaces(NetworkInterfaceIds=list(scene.estate.interfaces))
    tracked = [n.get("ConnectionTrackingConfiguration") for n in nics["NetworkInterfaces"]]
    return policies(scene), sorted(t["Key"] for t in found.get("Tags", [])), tracked


def contained(scene: Scene) -> tuple[Incident, Any]:
    """Contain the host, its own timeouts fixed so that the way back is exact."""
    for interface in scene.estate.interfaces:
        shorten(scene, interface, 4000)
    before = state(scene)
    incident, ending = scene.play(containing)
    assert ending.state == "Completed"
    return incident, before


def second(scene: Scene, incident: Incident) -> Incident:
    """Open another incident on the same host and contain it."""
    other = replace(scene.now(incident), id="", status="open", says="")

    def work(conn: Any) -> Incident:
        made = store.add_incident(conn, other)
        scene.case(incident).record.note(conn, made.id, "case.open", {})
        return made

    made = scene.store.commit(work)
    scene.enter(made, containing)
    return scene.now(made)


def due(scene: Scene, incident: Incident) -> Any:
    """Return when the incident is to be entered for the lift."""
    rows = scene.store.read(lambda conn: store.open_work(conn, incident.id))
    return max(r.due for r in rows if r.why == "timer")


@apart
def test_stolen_sessions_stay_dead_the_next_work_and_at_last_nothing_is_left(scene: Scene) -> None:
    stolen = scene.world.instance_credentials(scene.estate.target)
    incident, before = contained(scene)
    assert not works(scene, stolen)
    question = back(scene, incident)
    assert question == "Q-0001"
    assert not works(scene, stolen)
    scene.say(scene.asked(incident))
    begun = scene.world.now()
    ends = back(scene, incident)
    assert all(not e.why for e in ends)
    assert scene.now(incident).status == DENIED
    assert "stay denied until" in scene.now(incident).says
    assert not works(scene, stolen)
    scene.world.tick(MARGIN.total_seconds() + 1)
    fresh = scene.world.instance_credentials(scene.estate.target, renewed=True)
    assert works(scene, fresh)
    assert not works(scene, stolen)
    assert state(scene)[1:] == before[1:]

    # Entered too early, it leaves the denial in place, and is due at the same time still.
    until = due(scene, incident)
    assert until - begun >= INSTANCE_LIFE
    assert stolen.expires_at < until
    scene.world.calls.clear()
    assert scene.enter(incident, containing).status == DENIED
    assert scene.changed() == []
    assert due(scene, incident) >= until

    scene.world.tick((until - scene.world.now()).total_seconds() + 5)
    assert scene.enter(incident, containing).status == RELEASED
    assert state(scene) == before
    assert {i.phase for i in scene.steps(incident).values()} == {"undone"}
    kinds = scene.kinds(incident)
    assert [k for k in kinds if k.startswith("release.")] == [
        "release.begun",
        "release.ended",
        "release.lifted",
    ]
    scene.world.calls.clear()
    assert scene.enter(incident, containing).status == RELEASED
    assert scene.changed() == []


@apart
def test_a_rollback_gives_all_sessions_back_at_once(scene: Scene) -> None:
    held = scene.world.instance_credentials(scene.estate.target)
    incident, before = contained(scene)
    released(scene, incident, "rollback")
    assert scene.now(incident).status == "rolled-back"
    assert state(scene) == before
    assert works(scene, held)


@apart
def test_a_yes_to_one_way_back_is_no_yes_to_the_other(scene: Scene) -> None:
    incident, _ = contained(scene)
    back(scene, incident, "rollback")
    scene.say(scene.asked(incident))
    scene.world.calls.clear()
    assert back(scene, incident, "release") == "Q-0002"
    assert scene.changed() == []


@apart
def test_a_no_ends_it_and_nothing_was_changed(scene: Scene) -> None:
    incident, _ = contained(scene)
    back(scene, incident)
    scene.say(scene.asked(incident), yes=False)
    scene.world.calls.clear()
    with pytest.raises(RefusedError, match="bob said no: because"):
        back(scene, incident)
    assert scene.changed() == []


@apart
def test_of_a_host_that_is_gone_the_role_is_given_back_all_the_same(scene: Scene) -> None:
    stolen = scene.world.instance_credentials(scene.estate.target)
    incident, before = contained(scene)
    scene.aws("ec2").terminate_instances(InstanceIds=[scene.estate.target])
    ends = released(scene, incident)
    assert {e.step.partition("/")[0]: bool(e.gone) for e in ends} == {
        "tag_incident": True,
        "shorten_connection_tracking": True,
        "deny_instance_sessions": False,
    }
    assert all(not e.why for e in ends)
    assert "cannot come back" in scene.now(incident).says
    assert not works(scene, stolen)
    scene.world.tick((due(scene, incident) - scene.world.now()).total_seconds() + 5)
    assert scene.enter(incident, containing).status == RELEASED
    assert policies(scene) == before[0]


@pytest.mark.parametrize("first", [0, 1])
@apart
def test_what_another_incident_holds_stays_and_the_last_gives_all_back(
    scene: Scene, first: int
) -> None:
    stolen = scene.world.instance_credentials(scene.estate.target)
    one, before = contained(scene)
    scene.world.calls.clear()
    both = [one, second(scene, one)]
    assert scene.changed() == ["CreateTags"]
    whole = policies(scene)
    ends = {e.step.partition("/")[0]: e for e in released(scene, both[first])}
    other = both[1 - first].id
    assert ends["deny_instance_sessions"].held == (other,)
    assert ends["shorten_connection_tracking"].held == (other,)
    assert policies(scene) == whole, "the other incident denies every session still"
    assert scene.now(both[first]).status == RELEASED
    assert not works(scene, stolen)
    assert released(scene, both[1 - first])
    assert not works(scene, stolen)
    scene.world.tick((due(scene, both[1 - first]) - scene.world.now()).total_seconds() + 5)
    scene.enter(both[1 - first], containing)
    assert state(scene) == before


@apart
def test_contained_anew_after_a_release_the_lift_leaves_the_new_denial(scene: Scene) -> None:
    one, before = contained(scene)
    released(scene, one)
    other = second(scene, one)
    stolen = scene.world.instance_credentials(scene.estate.target, renewed=True)
    assert not works(scene, stolen)
    scene.world.tick((due(scene, one) - scene.world.now()).total_seconds() + 5)
    assert scene.enter(one, containing).status == RELEASED
    stolen = scene.world.instance_credentials(scene.estate.target, renewed=True)
    assert not works(scene, stolen)
    released(scene, other)
    scene.world.tick((due(scene, other) - scene.world.now()).total_seconds() + 5)
    scene.enter(other, containing)
    assert state(scene) == before


@apart
def test_without_room_for_the_narrow_denial_nothing_is_opened(scene: Scene) -> None:
    incident, _ = contained(scene)
    iam, role = scene.aws("iam"), scene.estate.role
    held = sum(len("".join(json.dumps(d).split())) for d in policies(scene).values())
    filler = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*"}]}
    filler["Statement"][0]["Resource"] = "arn:aws:s3:::" + "x" * (ROOM - held - 110)
    iam.put_role_policy(RoleName=role, PolicyName="filler", PolicyDocument=json.dumps(filler))
    was = state(scene)
    (end,) = released(scene, incident)
    assert "characters left for inline policies" in end.why
    assert state(scene) == was
    assert scene.now(incident).status == "partial"


@apart
def test_a_policy_that_somebody_changed_is_left_to_them(scene: Scene) -> None:
    incident, _ = contained(scene)
    iam, name = scene.aws("iam"), f"stanch-deny-sessions-{scene.estate.target}"
    theirs = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*"}]}
    theirs["Statement"][0]["Resource"] = "*"
    iam.put_role_policy(
        RoleName=scene.estate.role, PolicyName=name, PolicyDocument=json.dumps(theirs)
    )
    why = {e.step.partition("/")[0]: e.why for e in released(scene, incident)}
    assert "somebody else changed this" in why["deny_instance_sessions"]
    assert policies(scene)[name] == theirs
    assert scene.now(incident).status == "partial"


@apart
def test_a_release_that_grew_asks_again_and_says_by_what(scene: Scene) -> None:
    incident, _ = contained(scene)
    back(scene, incident, number=3)
    scene.say(scene.asked(incident))
    assert back(scene, incident) == "Q-0002"
    asked = scene.asked(incident)
    assert any("was not asked for" in text for text in asked.about["beyond the earlier approval"])


@apart
def test_who_approves_reads_what_is_and_what_will_be(scene: Scene) -> None:
    incident, _ = contained(scene)
    back(scene, incident)
    about = scene.asked(incident).about
    changes = {key: (now, then) for _, key, now, then in about["changes"]}
    assert changes["tag/stanch:incident"] == (incident.id, None)
    assert changes[f"policy/{scene.estate.role}"][1] is None
    assert changes[f"policy/{scene.estate.role}"][0]["Statement"]
    assert "sessions issued before the release stay denied" in about["first"]


@apart
def test_a_frozen_account_refuses_and_a_lift_waits_for_its_end(scene: Scene) -> None:
    incident, before = contained(scene)
    back(scene, incident)
    scene.say(scene.asked(incident))
    case = scene.case(incident)
    freezing.freeze(scene.store, case.record, scene.estate.account, "stop")
    with pytest.raises(FrozenError, match="stanch unfreeze"):
        back(scene, incident)
    freezing.unfreeze(scene.store, case.record, scene.estate.account, "go on")
    back(scene, incident)
    freezing.freeze(scene.store, case.record, scene.estate.account, "stop")
    scene.world.tick((due(scene, incident) - scene.world.now()).total_seconds() + 5)
    scene.world.calls.clear()
    ending = scene.enter(incident, containing)
    assert (ending.state, ending.status) == ("Frozen", DENIED)
    assert scene.changed() == []
    assert due(scene, incident) > scene.world.now()
    freezing.unfreeze(scene.store, case.record, scene.estate.account, "go on")
    assert scene.enter(incident, containing).status == RELEASED
    assert state(scene) == before


class Broke(BaseException):
    """The process is gone."""


def broken(params: Any, **_: Any) -> None:
    raise Broke


@pytest.mark.parametrize(("verb", "end"), [("release", DENIED), ("rollback", "rolled-back")])
@apart
def test_whoever_enters_it_goes_on_with_a_way_back_that_broke_off(
    scene: Scene, verb: str, end: str
) -> None:
    incident, before = contained(scene)
    back(scene, incident, verb)
    scene.say(scene.asked(incident))
    events = scene.aws("ec2").meta.events
    events.register("before-call.ec2.ModifyNetworkInterfaceAttribute", broken)
    with pytest.raises(Broke):
        back(scene, incident, verb)
    events.unregister("before-call.ec2.ModifyNetworkInterfaceAttribute", broken)
    phases = {name: i.phase for name, i in scene.steps(incident).items()}
    assert phases["tag_incident"] == "undone"
    assert phases["shorten_connection_tracking"] == "undoing"
    assert scene.enter(incident, containing).status == end
    assert state(scene)[1:] == before[1:]
    scene.world.tick(timedelta(hours=7).total_seconds())
    scene.enter(incident, containing)
    assert state(scene) == before


@apart
def test_a_lift_that_breaks_off_is_made_up_for_and_the_play_is_not_run_again(scene: Scene) -> None:
    incident, before = contained(scene)
    released(scene, incident)
    scene.world.tick((due(scene, incident) - scene.world.now()).total_seconds() + 5)
    events = scene.aws("iam").meta.events
    events.register("before-call.iam", broken)
    with pytest.raises(Broke):
        scene.enter(incident, containing)
    events.unregister("before-call.iam", broken)
    assert scene.now(incident).status == DENIED
    scene.world.calls.clear()
    assert scene.enter(incident, containing).status == RELEASED
    assert scene.changed() == ["DeleteRolePolicy"]
    assert state(scene) == before


@apart
def test_what_contains_nothing_is_not_released(scene: Scene) -> None:
    """A rotation or a review changes what is to stay; a release would take it back by half."""
    incident = scene.take()
    for play in ("rotate_credentials", "access_review", "notify_regulators"):
        case = scene.case(incident)
        case.incident = replace(case.incident, play=play)
        with pytest.raises(RefusedError, match="rollback"):
            asyncio.run(way_back.planned(case, "release"))
