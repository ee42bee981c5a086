"""Approvals: signed by another person, for this scope, once; anything else changes nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from actions.aws.shorten_connection_tracking import ShortenConnectionTracking
from actions.aws.tag_incident import TagIncident
from actions.aws.terminate_instance import TerminateInstance
from evidence import jws
from evidence.canonical import canonical
from playbooks.case.answering import TYPE, answer
from playbooks.case.case import Case
from playbooks.case.incident import Question
from playbooks.errors import ApprovalError, UnknownIncidentError
from playbooks.wiring import people
from tests.playbooks.scene import Scene, apart


async def tagging(case: Case) -> None:
    """Tag the host: the cheapest act there is."""
    await case.act(TagIncident(case.target, case.incident.id))


async def ending(case: Case) -> None:
    """Ask whether to terminate, and do it."""
    if yes := await case.ask(TerminateInstance(case.target)):
        await case.act(TerminateInstance(case.target), yes)


def asked(scene: Scene) -> tuple[Any, Question]:
    """Protect the host by the settings, so that tagging asks; return incident and question."""
    scene.guard(protected=(scene.estate.target,))
    incident, end = scene.play(tagging)
    assert end.state == "Waiting"
    assert scene.changed() == []
    return incident, scene.asked(incident)


def refused(scene: Scene, question: Question, match: str, **how: Any) -> None:
    """Answer so that it does not count; nothing must be recorded by that."""
    before = (scene.entries_of(question), scene.find(question))
    with pytest.raises(ApprovalError, match=match):
        scene.say(question, **how)
    assert (scene.entries_of(question), scene.find(question)) == before


@apart
def test_an_answer_that_does_not_count_changes_nothing(scene: Scene) -> None:
    _, question = asked(scene)
    refused(scene, question, "another question", id="Q-9999")
    refused(scene, question, "another question", incident="INC-9999")
    wider = {**question.scopes[0], "keys": ["tag/other"]}
    refused(scene, question, "another scope", scopes=(wider,))
    key = scene.person("eve")
    scene.set(people={k: v for k, v in scene.parts.settings.people.items() if k != "eve"})
    scene.keys["mallory"] = key
    scene.set(people=dict(scene.parts.settings.people) | {"mallory": scene.jwk("bob")})
    with pytest.raises(Exception, match="same key"):
        people.known(scene.parts.settings)
    scene.set(people={"bob": scene.jwk("bob")})
    refused(scene, question, "signature does not hold", by="mallory")
    assert scene.now(scene.incident_of(question)).status == "proposed"


@apart
def test_nobody_answers_what_they_asked(scene: Scene) -> None:
    incident, question = asked(scene)
    scene.store.commit(
        lambda conn: scene.change_requester(conn, question, "bob"),
    )
    refused(scene, scene.asked(incident), "somebody else must answer", by="bob")
    assert scene.say(scene.asked(incident), by="carol").approver == "carol"


@apart
def test_an_answer_counts_once(scene: Scene) -> None:
    _, question = asked(scene)
    scene.say(question)
    refused(scene, question, "answered already by bob", by="carol")


@apart
def test_an_answer_after_the_end_does_not_count(scene: Scene) -> None:
    incident, question = asked(scene)
    scene.world.tick(timedelta(hours=24).total_seconds())
    refused(scene, question, "expired")
    end = scene.enter(incident, tagging)
    assert end.state == "Refused"
    assert "in time" in end.says
    assert scene.changed() == []
    refused(scene, question, "expired")
    # The host is as it was: whoever enters the play again is asked anew.
    assert scene.enter(incident, tagging).state == "Waiting"
    scene.say(scene.asked(incident))
    assert scene.enter(incident, tagging).state == "Completed"
    assert scene.changed() == ["CreateTags"]


@pytest.mark.parametrize(
    "said",
    [
        b"not JSON",
        b"[]",
        b"{}",
        canonical({"answer": "yes"}),
        None,  # everything as it should be, but neither yes nor no
    ],
)
@apart
def test_what_is_signed_but_no_answer_does_not_count(scene: Scene, said: bytes | None) -> None:
    incident, question = asked(scene)
    key = scene.person("bob")
    if said is None:
        names = ("question", "incident", "digest", "reason", "at")
        said = canonical(dict.fromkeys(names, "x") | {"answer": "open"})
    token = jws.sign(said, key, "bob", TYPE)
    known = people.known(scene.parts.settings)
    with pytest.raises(ApprovalError):
        answer(scene.store, scene.case(incident).record, question.id, token, known)
    assert scene.find(question) == question


@apart
def test_a_question_that_is_not_there_is_unknown(scene: Scene) -> None:
    _, question = asked(scene)
    with pytest.raises(UnknownIncidentError, match="Q-0404"):
        scene.say(replace(question, id="Q-0404"), by="bob", id="Q-0404")


@apart
def test_after_a_yes_it_is_done_by_that_approval(scene: Scene) -> None:
    incident, question = asked(scene)
    entry = scene.now(incident).entry
    scene.say(question)
    assert scene.now(incident).entry == entry + 1
    assert scene.enter(incident, tagging).state == "Completed"
    assert scene.changed() == ["CreateTags"]
    (intent,) = [e for e in scene.entries(incident) if e.leaf.kind == "action.intent"]
    assert intent.body["approval"] == question.id


@apart
def test_after_a_no_it_is_not_done(scene: Scene) -> None:
    incident, question = asked(scene)
    scene.say(question, yes=False)
    end = scene.enter(incident, tagging)
    assert end.state == "Refused"
    assert "bob said no: because" in end.says
    assert scene.now(incident).status == "refused"
    assert scene.changed() == []


@apart
def test_an_approval_is_used_once(scene: Scene) -> None:
    async def twice(case: Case) -> None:
        await tagging(case)
        await case.act(TagIncident(case.target, case.incident.id), again="once more")

    incident, question = asked(scene)
    scene.say(question)
    end = scene.enter(incident, twice)
    assert end.state == "Waiting"
    assert scene.asked(incident).id != question.id


async def shortening(case: Case) -> None:
    await case.act(ShortenConnectionTracking(case.target))


def shorten(scene: Scene, interface: str, seconds: int) -> None:
    times = {"UdpTimeout": 30, "UdpStreamTimeout": 60, "TcpEstablishedTimeout": seconds}
    scene.aws("ec2").modify_network_interface_attribute(
        NetworkInterfaceId=interface, ConnectionTrackingSpecification=times
    )


@apart
def test_drift_in_a_value_is_planned_again_and_another_key_is_asked_again(scene: Scene) -> None:
    first, second = scene.estate.interfaces
    scene.guard(protected=(scene.estate.target,))
    shorten(scene, second, 60)
    incident, _ = scene.play(shortening)
    question = scene.asked(incident)
    assert question.scopes[0]["keys"] == [f"tracking/{first}"]
    scene.say(question)
    shorten(scene, first, 4000)
    shorten(scene, second, 5000)
    scene.world.calls.clear()
    for _ in "ab":
        # Entering again does not ask again.
        assert scene.enter(incident, shortening).state == "Waiting"
    assert scene.changed() == []
    again = scene.asked(incident)
    assert again.step.startswith("again/")
    assert any(second in text for text in again.about["beyond the earlier approval"])
    scene.say(again)
    assert scene.enter(incident, shortening).state == "Completed"
    before = scene.steps(incident)["shorten_connection_tracking"].plan.before
    assert before[f"tracking/{first}"]["tcp"] == 4000


@apart
def test_a_wider_end_is_asked_again_and_its_yes_is_heard(scene: Scene) -> None:
    incident, end = scene.play(ending)
    assert end.state == "Waiting"
    first = scene.asked(incident)
    scene.say(first)
    # Less than was approved is known to be lost: as if the world had become worse meanwhile.
    less = [dict(s) | {"lost": []} for s in first.scopes]
    scene.store.commit(lambda conn: scene.change_scopes(conn, first, less))
    assert scene.enter(incident, ending).state == "Waiting"
    again = scene.asked(incident)
    assert again.about["beyond the earlier approval"]
    scene.say(again)
    assert scene.enter(incident, ending).state == "Completed"
    assert "TerminateInstances" in scene.changed()
    assert scene.steps(incident)["terminate_instance"].phase == "done"


@pytest.mark.parametrize("how", ["denied", "expired"])
@apart
def test_an_end_that_nobody_wants_does_not_come(scene: Scene, how: str) -> None:
    incident, _ = scene.play(ending)
    if how == "denied":
        scene.say(scene.asked(incident), yes=False)
    else:
        scene.world.tick(timedelta(hours=25).total_seconds())
    assert scene.enter(incident, ending).state == "Completed"
    assert scene.changed() == []


@apart
def test_a_destroying_act_without_a_question_asks_by_itself(scene: Scene) -> None:
    async def body(case: Case) -> None:
        await case.act(TerminateInstance(case.target))

    incident, end = scene.play(body)
    assert end.state == "Waiting"
    assert "it destroys, and cannot be undone" in scene.asked(incident).about["why"]
    assert scene.changed() == []


@apart
def test_nobody_is_asked_for_what_would_be_refused(scene: Scene) -> None:
    scene.guard(own=(scene.estate.target,))
    incident, end = scene.play(ending)
    assert end.state == "Refused"
    assert scene.questions(incident) == []
