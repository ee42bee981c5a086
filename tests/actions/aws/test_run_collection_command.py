"""One pinned document, sent once and found again by its comment; no address is ever told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from actions import one_way
from actions.action import fields_of, name_of, step_of
from actions.aws import collection_document as pinned
from actions.aws.clients import Aws
from actions.aws.run_collection_command import RunCollectionCommand, ended
from actions.errors import ProviderError, UnfitError
from playbooks.drills.range.agent import Agent
from playbooks.drills.range.injectors import FailedCall
from playbooks.wiring.sessions import APART
from tests.actions.aws.operating import host_of


def arrange(world, estate):
    """Give the host an agent, and its account the document; no bucket is needed to send."""
    world.ground.kept.agents[estate.target] = Agent()
    ssm = world.client("ssm", world.admin)
    ssm.create_document(
        Name=pinned.NAME, Content=pinned.text(), DocumentType="Command", DocumentFormat="JSON"
    )
    return RunCollectionCommand(host_of(world, estate))


@pytest.fixture
def op(op, world):
    """An operator whose S3 client signs as Stanch's sessions make it."""
    session: Any = world.session(world.admin)

    def make(service: str) -> Any:
        return session.client(service, config=APART.get(service))

    op.p = Aws(world.account, world.region, make)
    return op


def sent(world) -> list[Any]:
    return [c for c in world.calls if c.operation == "SendCommand" and not c.error]


def test_the_command_names_version_script_and_owner_and_nothing_else(world, estate, op):
    applied = op.apply(arrange(world, estate))
    [call] = sent(world)
    assert call.params["DocumentName"] == pinned.NAME
    assert call.params["DocumentVersion"] == "1"
    assert call.params["InstanceIds"] == [estate.target]
    told = call.params["Parameters"]
    assert told.keys() == {"Upload", "Owner", "ScriptSha256"}
    assert told["ScriptSha256"] == [pinned.script_sha256()] == [applied.after["script_sha256"]]
    assert applied.after["key"] in told["Upload"][0]
    assert f"X-Amz-Expires={pinned.ADDRESS}" in told["Upload"][0]
    assert "if-none-match" in told["Upload"][0]


def test_no_address_and_no_signature_is_in_the_journal(world, estate, op):
    action = arrange(world, estate)
    applied = op.apply(action)
    kept = repr(op.journal[applied.step]) + repr(applied) + json.dumps(fields_of(action))
    [address] = sent(world)[0].params["Parameters"]["Upload"]
    assert "X-Amz" not in kept
    assert address not in kept


def test_what_an_earlier_try_sent_is_adopted(world, estate, op):
    action = arrange(world, estate)
    intent = op.journal.intend(
        step_of(action), name_of(action), fields_of(action), one_way.foresee(action, op.p)
    )
    action.do(op.p, intent.mark, None)  # and the process died before it was recorded
    applied = op.apply(action)
    [call] = sent(world)
    assert applied.after["command"] in world.ground.kept.commands
    assert applied.after["key"] in call.params["Parameters"]["Upload"][0]


def test_a_command_of_another_step_is_not_adopted(world, estate, op):
    action = arrange(world, estate)
    action.do(op.p, "another mark", None)
    assert action.find(op.p, "this mark") is None


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        pytest.param(None, "no Systems Manager agent", id="no-agent"),
        pytest.param(Agent(ping="ConnectionLost"), "is ConnectionLost", id="lost"),
        pytest.param(Agent(platform="Windows"), "runs Windows", id="windows"),
    ],
)
def test_a_host_that_cannot_be_asked_is_refused_beforehand(world, estate, op, agent, why):
    action = arrange(world, estate)
    world.ground.kept.agents.pop(estate.target)
    if agent:
        world.ground.kept.agents[estate.target] = agent
    with pytest.raises(UnfitError, match=why):
        op.apply(action)
    assert not sent(world)


def test_another_document_of_that_name_is_not_run(world, estate, op):
    action = arrange(world, estate)
    other = pinned.text().replace("ss -tuanp", "rm -rf /")
    ssm = world.client("ssm", world.admin)
    ssm.update_document(Name=pinned.NAME, Content=other, DocumentVersion="$LATEST")
    ssm.update_document_default_version(Name=pinned.NAME, DocumentVersion="2")
    with pytest.raises(UnfitError, match="is not this version's"):
        op.apply(action)
    assert not sent(world)


def test_a_client_that_would_sign_no_header_is_refused(world, estate, op):
    action = arrange(world, estate)
    session: Any = world.session(world.admin)
    old = Aws(world.account, world.region, session.client)
    with pytest.raises(UnfitError, match="Signature Version 4"):
        action.do(old, "mark", None)
    assert not sent(world)


def test_a_refusal_that_quotes_the_address_is_told_without_it(world, estate, op, monkeypatch):
    action = arrange(world, estate)
    monkeypatch.setattr(pinned, "script_sha256", lambda: "not a hash")
    with pytest.raises(ProviderError, match="left out") as caught:
        op.apply(action)
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert not any("X-Amz" in str(one) for one in chain)
    assert "X-Amz" not in repr(op.journal.find(step_of(action)))


def test_an_answer_that_was_lost_is_looked_for_and_not_sent_again(world, estate, op):
    action = arrange(world, estate)
    world.inject(FailedCall(applied=True), "SendCommand")
    applied = op.apply(action)
    assert sum(c.operation == "SendCommand" for c in world.calls) == 1
    assert list(world.ground.kept.commands) == [applied.after["command"]]


def test_of_two_that_bear_the_mark_the_first_is_the_one(world, estate, op):
    """The second cannot upload: the object is there."""
    action = arrange(world, estate)
    action.do(op.p, "mark", None)
    action.do(op.p, "mark", None)
    first, _ = world.ground.kept.commands
    found = action.find(op.p, "mark")
    assert found is not None
    assert found["command"] == first


def test_it_has_not_ended_while_nobody_took_it(world, estate, op):
    action = arrange(world, estate)
    applied = op.apply(action)
    assert not ended(op.p, action.host, str(applied.after["command"]))
    world.tick(pinned.DELIVERY + 1)
    assert ended(op.p, action.host, str(applied.after["command"]))


def test_nothing_in_the_document_but_its_parameters_is_put_in_by_the_service():
    text = json.dumps(pinned.document()["mainSteps"])
    assert text.count("{{") == 3
    assert len(pinned.text()) < 64_000  # Systems Manager quotas: a document holds 64 KB


def test_the_place_is_the_step_s_own(world, estate, op):
    one = arrange(world, estate)
    two = replace(one, host=replace(one.host, instance_id=estate.sibling))
    assert one._place("a") != one._place("b")
    assert one._place("a") != two._place("a")
