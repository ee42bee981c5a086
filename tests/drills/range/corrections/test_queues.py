"""Queues as SQS has them (SQS: Visibility timeout; Short and long polling; Dead-letter queues)."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from playbooks.drills.range.bridge import EVENTS
from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.estate import build_estate
from playbooks.drills.range.estate_queue import TRIES
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World


@pytest.fixture
def sqs(world, estate):
    return world.client("sqs", responder(world, estate))


def responder(world, estate) -> Credentials:
    keys = world.client("sts", estate.responder).assume_role(
        RoleArn=estate.responder_role, RoleSessionName="inc-1", ExternalId=estate.external_id
    )["Credentials"]
    return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def received(sqs, url) -> list:
    answer = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])
    return answer.get("Messages", [])


def test_what_a_rule_sends_is_received_and_gone_when_deleted(world, estate, sqs):
    sent = world.deliver({"detail": {"id": "f"}}, estate.queue.arn, estate.queue.rule)
    [message] = received(sqs, estate.queue.url)
    assert message["MessageId"] == sent
    assert json.loads(message["Body"]) == {"detail": {"id": "f"}}
    sqs.delete_message(QueueUrl=estate.queue.url, ReceiptHandle=message["ReceiptHandle"])
    world.tick(60)
    assert received(sqs, estate.queue.url) == []


def test_a_message_is_hidden_for_its_timeout_of_the_worlds_time(world, estate, sqs):
    world.deliver({}, estate.queue.arn, estate.queue.rule)
    [first] = received(sqs, estate.queue.url)
    world.tick(25)
    assert received(sqs, estate.queue.url) == []
    world.tick(5)
    [again] = received(sqs, estate.queue.url)
    assert again["MessageId"] == first["MessageId"]
    assert again["ReceiptHandle"] != first["ReceiptHandle"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert again["Attributes"]["SentTimestamp"] == first["Attributes"]["SentTimestamp"]


def test_a_timeout_of_nought_shows_a_message_at_once():
    world = World(seed=11, clock=lambda: 1.8e9)
    estate = build_estate(world)
    admin = world.client("sqs", world.admin)
    world.deliver({}, estate.queue.arn, estate.queue.rule)
    [message] = received(admin, estate.queue.url)
    admin.change_message_visibility(
        QueueUrl=estate.queue.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    assert len(received(admin, estate.queue.url)) == 1


def test_what_nobody_deletes_ends_in_the_dead_letter_queue(world, estate, sqs):
    sent = world.deliver({}, estate.queue.arn, estate.queue.rule)
    for n in range(1, TRIES + 1):
        [message] = received(sqs, estate.queue.url)
        assert message["Attributes"]["ApproximateReceiveCount"] == str(n)
        world.tick(30)
    assert received(sqs, estate.queue.url) == []
    admin = world.client("sqs", world.admin)
    [dead] = received(admin, f"{estate.queue.url}-dead")
    assert dead["MessageId"] == sent


def test_a_long_poll_holds_nobody_up_and_ends_with_the_first_message(world, estate):
    keys = responder(world, estate)
    with serve(world) as endpoint, ThreadPoolExecutor(1) as pool:
        session = boto3.Session(keys.access_key, keys.secret_key, keys.token, world.region)
        far = session.client("sqs", endpoint_url=endpoint)
        asked = pool.submit(far.receive_message, QueueUrl=estate.queue.url, WaitTimeSeconds=20)
        ec2 = session.client("ec2", endpoint_url=endpoint)
        assert ec2.describe_instances(InstanceIds=[estate.target])["Reservations"]
        assert not asked.done()
        sent = world.deliver({}, estate.queue.arn, estate.queue.rule)
        # Less than it would wait by itself.
        assert asked.result(timeout=10)["Messages"][0]["MessageId"] == sent
        assert "Messages" not in far.receive_message(QueueUrl=estate.queue.url, WaitTimeSeconds=1)


def test_how_often_a_queue_is_asked_moves_no_ids():
    def made(times: int) -> str:
        world = World(seed=4)
        estate = build_estate(world)
        admin = world.client("sqs", world.admin)
        for _ in range(times):
            world.deliver({}, estate.queue.arn, estate.queue.rule)
            received(admin, estate.queue.url)
        ec2 = world.client("ec2", world.admin)
        return ec2.create_security_group(GroupName="g", Description="d", VpcId=estate.vpc)[
            "GroupId"
        ]

    assert made(0) == made(3)


def test_receipts_and_messages_differ(world, estate, sqs):
    sent = {world.deliver({}, estate.queue.arn, estate.queue.rule) for _ in range(5)}
    got = [received(sqs, estate.queue.url)[0] for _ in range(5)]
    assert {m["MessageId"] for m in got} == sent
    assert len(sent) == len({m["ReceiptHandle"] for m in got}) == 5


def test_the_responder_may_take_out_and_nothing_else(world, estate, sqs, refused):
    url = estate.queue.url
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x") == "AccessDeniedException"
    assert refused(sqs.purge_queue, QueueUrl=url) == "AccessDeniedException"
    entries = [{"Id": "1", "MessageBody": "x"}]
    assert refused(sqs.send_message_batch, QueueUrl=url, Entries=entries) == "AccessDeniedException"
    names = ["ApproximateNumberOfMessages"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert told == {"ApproximateNumberOfMessages": "0"}


def test_another_rule_cannot_send(world, estate, sqs):
    with pytest.raises(AwsError, match="AccessDenied"):
        world.deliver({}, estate.queue.arn, f"{estate.queue.rule}-of-somebody")
    with pytest.raises(AwsError, match="AccessDenied"):
        world.deliver({}, f"{estate.queue.arn}-dead", estate.queue.rule)
    assert received(sqs, estate.queue.url) == []


def policy(queue, **statement) -> dict[str, str]:
    whole = {"Effect": "Allow", "Action": "sqs:*", "Resource": queue.arn, **statement}
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [whole]})}


def test_a_queues_policy_joins_the_callers_own(world, estate, sqs, refused):
    queue, admin = estate.queue, world.client("sqs", world.admin)

    def set_policy(**statement) -> None:
        admin.set_queue_attributes(QueueUrl=queue.url, Attributes=policy(queue, **statement))

    # In one account the queue's word suffices; a deny on either side wins.
    set_policy(Principal={"AWS": estate.responder_role})
    assert sqs.send_message(QueueUrl=queue.url, MessageBody="x")["MessageId"]
    set_policy(Principal={"AWS": estate.responder_role}, Effect="Deny")
    assert refused(sqs.receive_message, QueueUrl=queue.url) == "AccessDeniedException"
    set_policy(Principal={"Service": EVENTS})
    assert refused(sqs.send_message, QueueUrl=queue.url, MessageBody="x") == "AccessDeniedException"
    # From another account both must allow: the queue's word alone does not.
    set_policy(Principal="*")
    stranger = world.client("sqs", estate.responder)
    assert refused(stranger.receive_message, QueueUrl=queue.url) == "AccessDeniedException"
    # An organisation's policy binds what a queue gives.
    world.attach_scps(
        world.account,
        ({"Statement": [{"Effect": "Allow", "NotAction": "sqs:SendMessage", "Resource": "*"}]},),
    )
    assert refused(sqs.send_message, QueueUrl=queue.url, MessageBody="x") == "AccessDeniedException"


def test_messages_are_no_management_events(world, estate, sqs):
    world.deliver({}, estate.queue.arn, estate.queue.rule)
    received(sqs, estate.queue.url)
    sqs.get_queue_attributes(QueueUrl=estate.queue.url, AttributeNames=["All"])
    world.tick(3600)
    trail = world.client("cloudtrail", world.admin)
    seen = {e["EventName"] for e in trail.lookup_events()["Events"]}
    assert "GetQueueAttributes" in seen
    assert not seen & {"ReceiveMessage", "SendMessage"}
