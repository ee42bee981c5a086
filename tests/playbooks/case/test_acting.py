"""Act: what fails is recorded and does as the play says; what is gone or changed says so."""

import asyncio
from typing import Any

import pytest

from actions.action import step_of
from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.isolate_instance import IsolateInstance
from actions.aws.protect_from_termination import ProtectFromTermination
from actions.aws.shorten_connection_tracking import ShortenConnectionTracking
from actions.aws.terminate_instance import TerminateInstance
from playbooks.case.answers import Done, Failed, Refusal
from playbooks.case.case import Case
from playbooks.case.story import story
from playbooks.drills.range.injectors import FailedCall, IgnoredWrite, Throttle
from tests.playbooks.scene import Scene, apart

SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a write after two seconds of the world's time."""
    monkeypatch.setattr(ProtectFromTermination, "limit", 2.0)


def failing_first(otherwise: Any) -> Any:
    async def body(case: Case) -> None:
        SEEN.append(await case.act(ProtectFromTermination(case.target), otherwise=otherwise))
        SEEN.append(await case.act(ShortenConnectionTracking(case.target)))

    return body


@apart
def test_a_failed_act_does_not_hold_up_the_next_one(scene: Scene) -> None:
    scene.world.inject(FailedCall(), "ModifyInstanceAttribute", times=99)
    incident, ending = scene.play(failing_first("continue"))
    assert [bool(s) for s in SEEN] == [False, True]
    assert ending.state == "Completed"
    assert "action.failed" in scene.kinds(incident)


@apart
def test_an_act_that_must_not_fail_stops_the_play(scene: Scene) -> None:
    scene.world.inject(FailedCall(), "ModifyInstanceAttribute", times=99)
    incident, ending = scene.play(failing_first("stop"))
    assert (ending.state, incident.status) == ("Stopped", "partial")
    assert "shorten_connection_tracking" not in scene.steps(incident)


@pytest.mark.parametrize("yes", [True, False])
@apart
def test_an_act_whose_failure_asks_goes_on_only_after_a_yes(scene: Scene, yes: bool) -> None:
    scene.world.inject(FailedCall(), "ModifyInstanceAttribute", times=999)
    incident, ending = scene.play(failing_first("ask"))
    assert ending.state == "Waiting"
    assert "shorten_connection_tracking" not in scene.steps(incident)
    scene.say(scene.asked(incident), yes)
    ending = scene.enter(incident, failing_first("ask"))
    assert ending.state == ("Completed" if yes else "Refused")
    assert ("shorten_connection_tracking" in scene.steps(incident)) is yes


@apart
def test_a_write_that_is_not_in_effect_asks_as_a_failed_call_does(scene: Scene) -> None:
    scene.world.inject(IgnoredWrite(), "ModifyInstanceAttribute", times=999)
    _, ending = scene.play(failing_first("ask"))
    assert ending.state == "Waiting"


@apart
def test_a_failure_before_the_intent_is_recorded_and_told(scene: Scene) -> None:
    scene.world.inject(FailedCall(), "DescribeInstanceAttribute", times=999)
    incident, ending = scene.play(failing_first("continue"))
    assert ending.state == "Completed"
    assert list(scene.steps(incident)) == ["shorten_connection_tracking"]
    told = scene.store.read(lambda conn: story(conn, incident.id))
    assert [one["step"].partition("/")[0] for one in told["left"]] == ["protect_from_termination"]
    assert any("protect_from_termination" in text for text in told["residual"])


@apart
def test_a_throttled_plan_is_waited_out(scene: Scene) -> None:
    scene.world.inject(Throttle(), "DescribeInstanceAttribute", times=3)
    scene.play(failing_first("stop"))
    assert all(SEEN)


@apart
def test_what_is_unfit_is_no_failure_of_the_play(scene: Scene) -> None:
    scene.aws("ec2").disassociate_iam_instance_profile(AssociationId=_association(scene))

    async def body(case: Case) -> None:
        SEEN.append(await case.act(DenyInstanceSessions(case.target), otherwise="stop"))
        await case.act(IsolateInstance(case.target))

    incident, ending = scene.play(body)
    assert isinstance(SEEN[0], Failed)
    assert (ending.state, incident.status) == ("Completed", "contained, live flows possible")
    assert not any("credentials" in r for r in scene.case(incident).residual)


def _association(scene: Scene) -> str:
    found = scene.aws("ec2").describe_iam_instance_profile_associations(
        Filters=[{"Name": "instance-id", "Values": [scene.estate.target]}]
    )
    return str(found["IamInstanceProfileAssociations"][0]["AssociationId"])


@apart
def test_a_role_that_is_gone_does_not_count_as_a_host_that_is_gone(scene: Scene) -> None:
    async def body(case: Case) -> None:
        SEEN.append(await case.act(DenyInstanceSessions(case.target, role="nobody")))
        SEEN.append(await case.act(IsolateInstance(case.target)))

    incident, ending = scene.play(body)
    assert [bool(s) for s in SEEN] == [False, True]
    assert ending.state == "Completed"
    assert incident.status == "partial"


@apart
def test_isolated_with_credentials_that_work_is_not_contained(scene: Scene) -> None:
    async def body(case: Case) -> None:
        await case.act(IsolateInstance(case.target))

    incident, _ = scene.play(body)
    assert incident.status == "partial"
    assert scene.case(incident).residual[0] == "credentials that the host was issued still work"


@apart
def test_entering_again_does_nothing_again(scene: Scene) -> None:
    body = failing_first("stop")
    incident, _ = scene.play(body)
    did = scene.changed()
    assert did
    scene.enter(incident, body)
    assert scene.changed() == did
    assert SEEN[:2] == SEEN[2:]


@apart
def test_a_done_step_with_other_fields_is_refused(scene: Scene) -> None:
    async def body(case: Case) -> None:
        SEEN.append(await case.act(DenyInstanceSessions(case.target)))
        SEEN.append(await case.act(DenyInstanceSessions(case.target, keep_ssm=True)))

    incident, _ = scene.play(body)
    assert isinstance(SEEN[0], Done)
    assert "other fields" in SEEN[1].why
    assert scene.steps(incident)["deny_instance_sessions"].phase == "done"


@apart
def test_a_drifted_key_is_recorded_and_the_others_go_on(scene: Scene) -> None:
    first, second = scene.estate.interfaces

    async def body(case: Case) -> None:
        await case.act(ShortenConnectionTracking(case.target))

    incident = scene.take()
    case = scene.case(incident)
    action = ShortenConnectionTracking(case.target)
    # The plan is recorded, then somebody changes one interface before the write.
    from playbooks.case import acting

    planned = asyncio.run(acting.prepare(case, action, step_of(action)))
    from actions.action import fields_of, name_of

    case.journal.intend(step_of(action), name_of(action), fields_of(action), planned.plan)
    scene.aws("ec2").modify_network_interface_attribute(
        NetworkInterfaceId=second,
        ConnectionTrackingSpecification={"TcpEstablishedTimeout": 77},
    )
    ending = scene.enter(incident, body)
    assert ending.state == "Completed"
    told = scene.store.read(lambda conn: story(conn, incident.id))
    (step,) = told["steps"]
    assert second in step["error"]
    assert first not in step["error"]
    assert _timeout(scene, first) not in (None, 77)
    assert _timeout(scene, second) == 77


def _timeout(scene: Scene, interface: str) -> Any:
    found = scene.aws("ec2").describe_network_interfaces(NetworkInterfaceIds=[interface])
    told = found["NetworkInterfaces"][0].get("ConnectionTrackingConfiguration", {})
    return told.get("TcpEstablishedTimeout")


@apart
def test_a_refusal_handed_to_an_act_refuses_it(scene: Scene) -> None:
    async def body(case: Case) -> None:
        await case.act(TerminateInstance(case.target), Refusal("Q-0001", "bob said no"))

    _, ending = scene.play(body)
    assert (ending.state, "bob said no" in ending.says) == ("Refused", True)
    assert scene.changed() == []


@apart
def test_what_is_neither_lens_nor_one_way_is_a_mistake(scene: Scene) -> None:
    from actions.action import Action

    class Neither(Action[Any]):
        target = "111122223333/eu-west-1/x"

    async def body(case: Case) -> None:
        await case.act(Neither())

    with pytest.raises(TypeError, match="neither"):
        scene.play(body)
    (incident,) = [scene.now(scene.take())]
    assert incident.says == "the play broke off: TypeError"
