"""What a queue brings is recorded before it goes, as an alert or as a dead letter, or stays."""

import contextlib
import json
import threading
from datetime import UTC, datetime

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from guardduty_findings import ACCOUNT, REGION, enveloped, probed_host, tor_client
from intake_door import house
from moto.server import ThreadedMotoServer

from playbooks.case import store
from playbooks.desk.cli.permissions import polling
from playbooks.errors import SettingsError
from playbooks.intake.errors import EnvelopeError, IntakeError
from playbooks.intake.event import read_event
from playbooks.intake.queue import PERMISSIONS, Poller, Pull
from playbooks.respond.take import accepting, rejecting
from playbooks.wiring.channel_terms import Queue
from playbooks.wiring.settings import Settings

HERE = "444455556666"
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def aws():
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.session.Session("k", "s").client(
        "sqs",
        region_name=REGION,
        endpoint_url=f"http://{host}:{port}",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()
    server.stop()


@pytest.fixture
def at(tmp_path):
    made = house(tmp_path)
    yield made
    made.parts.engine.dispose()


@pytest.fixture
def url(aws, request):
    name = "q-" + str(abs(hash(request.node.nodeid)))
    return aws.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "0"})["QueueUrl"]


def pull(at, url, connect, **more):
    """A pull whose messages show again at once when they are not deleted."""
    given = {
        "accept": accepting(at.parts, at.db),
        "reject": rejecting(at.parts, at.db),
        "now": at.parts.now,
        "wait": 0,
    }
    return Pull("main", url, HERE, at.parts.settings.accounts, connect, **(given | more))


def send(aws, url, *bodies):
    for body in bodies:
        text = body if isinstance(body, str) else json.dumps(body)
        aws.send_message(QueueUrl=url, MessageBody=text)


def left(aws, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def event(number=0, **envelope):
    found = tor_client() | {"id": f"finding-{number}"}
    found["arn"] = found["arn"].rpartition("/")[0] + f"/finding-{number}"
    return enveloped(found) | envelope


def drain(poller):
    """Poll until a round brings nothing."""
    while poller.round():
        pass


def test_each_finding_is_in_one_incident_however_often_it_is_delivered(aws, at, url):
    poller = Poller(pull(at, url, lambda: aws))
    send(aws, url, *(event(n % 4) for n in range(23)))
    drain(poller)
    assert left(aws, url) == 0
    assert at.rows("SELECT count(*), sum(repeats) FROM alerts") == [(4, 19)]
    assert [row[0] for row in at.rows("SELECT channel FROM alerts")] == ["queue:main"] * 4
    assert len(at.db.read(store.incidents)) == 1
    state = poller.state
    assert (state.accepted, state.rejected, state.failures, state.error) == (23, 0, 0, "")
    assert at.parts.now() >= state.succeeded


POISON = {
    "not JSON": "ping",
    "a name twice": '{"source": "aws.guardduty", "source": "aws.guardduty"}',
    "another source": json.dumps(event(source="my.app")),
    "no source": json.dumps(tor_client()),
    "another account": json.dumps(event(account="999988887777")),
    "no account": json.dumps({k: v for k, v in event().items() if k != "account"}),
    "no finding": json.dumps(event(detail={})),
    "too deep": '{"a":' * 100 + "1" + "}" * 100,
    "Security Hub": json.dumps(
        {"source": "aws.securityhub", "account": ACCOUNT, "detail": {"findings": [{"Id": "x"}]}}
    ),
    "hostile text": json.dumps(event(detail=tor_client() | {"id": "a\u202eb"})),
}


def test_poison_goes_to_the_dead_letters_and_holds_nothing_up(aws, at, url):
    poller = Poller(pull(at, url, lambda: aws))
    for number, body in enumerate(POISON.values()):
        send(aws, url, body, event(number))
    drain(poller)
    assert left(aws, url) == 0
    letters = at.db.read(lambda conn: store.rejected(conn, 100))
    assert sorted(letter.body for letter in letters) == sorted(POISON.values())
    assert all(len(letter.reason) > 40 for letter in letters)
    assert at.rows("SELECT count(*) FROM alerts") == [(len(POISON),)]
    assert (poller.state.accepted, poller.state.rejected) == (len(POISON), len(POISON))


@pytest.mark.parametrize("broken", ["accept", "reject"])
def test_what_cannot_be_recorded_stays_in_the_queue(aws, at, url, broken):
    def away(*_given):
        raise OSError("no database")

    send(aws, url, event(1), "poison", event(2))
    with pytest.raises(OSError, match="no database"):
        Poller(pull(at, url, lambda: aws, **{broken: away})).round()
    assert left(aws, url) > 0
    drain(Poller(pull(at, url, lambda: aws)))
    assert left(aws, url) == 0
    assert at.rows("SELECT count(*) FROM alerts") == [(2,)]
    assert at.rows("SELECT count(*) FROM rejected") == [(1,)]


def test_one_that_the_database_refuses_stays_and_the_others_go(aws, at, url):
    take = accepting(at.parts, at.db)
    error = OSError("x")

    def all_but_one(arrivals):
        return [error if a.alert.uid == "finding-1" else take([a])[0] for a in arrivals]

    send(aws, url, event(0), event(1), event(2))
    poller = Poller(pull(at, url, lambda: aws, accept=all_but_one))
    # SQS may give one message or three in a round; all rounds that see finding-1 fail.
    for _ in range(3):
        with contextlib.suppress(OSError):
            poller.round()
    assert left(aws, url) == 1
    with pytest.raises(OSError, match="x"):
        poller.round()
    keys = [row[0][-9:] for row in at.rows("SELECT dedupe_key FROM alerts ORDER BY 1")]
    assert keys == ["finding-0", "finding-2"]


def test_a_message_that_was_recorded_and_not_deleted_does_nothing_twice(aws, at, url):
    class Cut:
        """The client of a process that dies between the commit and the deletion."""

        receive_message = staticmethod(aws.receive_message)

        def delete_message_batch(self, **_given):
            raise EndpointConnectionError(endpoint_url=url)

    send(aws, url, event(1))
    with pytest.raises(EndpointConnectionError):
        Poller(pull(at, url, Cut)).round()
    before = at.counts()
    assert (before["alerts"], left(aws, url)) == (1, 1)
    drain(Poller(pull(at, url, lambda: aws)))
    assert (at.counts(), left(aws, url)) == (before, 0)


def test_a_poller_goes_on_after_what_fails_and_ends_when_told(aws, at, url):
    stop, tries = threading.Event(), []
    taken = threading.Event()
    accept = accepting(at.parts, at.db)

    def connect():
        tries.append(1)
        if len(tries) == 1:
            raise SettingsError("no usable credentials")
        if len(tries) == 2:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ReceiveMessage")
        return aws

    def told(arrivals):
        found = accept(arrivals)
        taken.set()
        return found

    send(aws, url, event(1))
    poller = Poller(pull(at, url, connect, accept=told))
    thread = threading.Thread(target=poller.run, args=(stop,))
    thread.start()
    assert taken.wait(30)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert (poller.state.accepted, poller.state.error) == (1, "")
    assert len(tries) >= 3


def test_an_unreachable_queue_is_told_by_its_kind_alone(at):
    stop = threading.Event()

    def connect():
        stop.set()
        raise EndpointConnectionError(endpoint_url="http://secret.example")

    poller = Poller(pull(at, "http://127.0.0.1:1/q", connect))
    poller.run(stop)
    assert (poller.state.failures, poller.state.error) == (1, "EndpointConnectionError")
    assert poller.state.succeeded is None


@pytest.mark.parametrize(
    ("envelope", "detail", "good"),
    [
        (ACCOUNT, ACCOUNT, True),
        (HERE, ACCOUNT, True),
        ("999988887777", ACCOUNT, False),
        (ACCOUNT, HERE, False),
        (HERE, HERE, False),
        ("999988887777", "999988887777", False),
        (None, ACCOUNT, False),
        ([ACCOUNT], ACCOUNT, False),
    ],
)
def test_an_event_is_of_its_findings_account_or_of_the_queues(envelope, detail, good):
    found = probed_host() | {"accountId": detail}
    body = json.dumps(enveloped(found) | {"account": envelope}).encode()
    if good:
        assert read_event(body, received=NOW, here=HERE, accounts={ACCOUNT}).account == detail
    else:
        with pytest.raises(IntakeError):
            read_event(body, received=NOW, here=HERE, accounts={ACCOUNT})


def test_only_aws_can_have_put_what_is_read():
    for source in ("guardduty", "AWS.GuardDuty", "aws.ec2", None, ["aws.guardduty"]):
        body = json.dumps(event(source=source)).encode()
        with pytest.raises(EnvelopeError):
            read_event(body, received=NOW, here=HERE, accounts={ACCOUNT})


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://sqs.example/1/q"},
        {"url": "sqs"},
        {"account": "999988887777"},
    ],
    ids=str,
)
def test_a_queue_is_ours_and_reached_by_tls(wrong):
    good = {"url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/q", "region": REGION}
    good |= {"account": ACCOUNT}
    made = Settings(accounts={ACCOUNT: {}}, queues={"main": good})
    assert made.queues["main"] == Queue(**good)
    with pytest.raises(ValueError, match=r"https|accounts"):
        Settings(accounts={ACCOUNT: {}}, queues={"main": good | wrong})
    with pytest.raises(ValueError, match="hyphens"):
        Settings(accounts={ACCOUNT: {}}, queues={"No Name": good})


def test_the_permissions_name_each_queue_of_the_account_and_nothing_more():
    queues = {
        name: Queue(url=f"https://sqs.example/{account}/q-{name}", account=account, region=REGION)
        for name, account in (("one", ACCOUNT), ("two", HERE))
    }
    known = Settings(accounts={ACCOUNT: {}, HERE: {}}, queues=queues)
    (statement,) = polling(known, ACCOUNT, "aws")
    assert statement["Resource"] == [f"arn:aws:sqs:{REGION}:{ACCOUNT}:q-one"]
    assert set(statement["Action"]) == set(PERMISSIONS)
    assert len(polling(known, "*", "aws")[0]["Resource"]) == 2
    assert polling(known, "999988887777", "aws") == []
