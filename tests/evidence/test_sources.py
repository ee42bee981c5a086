"""Sources: they only read, they keep what came, they miss what failed and go on."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from botocore.awsrequest import AWSResponse

from evidence.errors import SourceError
from evidence.sources.ask import Question, ask
from evidence.sources.cloudtrail_events import CloudTrailEvents
from evidence.sources.instance_facts import ATTRIBUTES, InstanceFacts
from evidence.sources.item import Item, Missed
from evidence.sources.snapshot_facts import SnapshotFacts
from tests.evidence.cloud import (
    ACCOUNT,
    CANARY,
    REGION,
    USER_DATA,
    client,
    clients_for,
    launch,
    moto_server,
    trail,
)

READS = ("Describe", "Get", "List", "Lookup")
IAM_PREFIX = {"elbv2": "elasticloadbalancing"}


@pytest.fixture(scope="module")
def cloud():
    with moto_server() as endpoint:
        yield endpoint, launch(endpoint)


@pytest.fixture(scope="module")
def collected(cloud):
    """All that is found on the instance, and the calls that were made for it."""
    endpoint, world = cloud
    calls: list[tuple[str, str]] = []
    source = InstanceFacts(world["instance"], ACCOUNT, REGION)
    return list(source.collect(clients_for(endpoint, calls))), calls


def pages(item: Item) -> list:
    return json.loads(item.data)["pages"]


def by_name(found):
    return {each.name: each for each in found}


def test_every_call_only_reads_and_is_among_the_permissions(collected, cloud):
    endpoint, world = cloud
    calls = list(collected[1])
    snapshots = SnapshotFacts((world["snapshot"],), ACCOUNT, REGION)
    list(snapshots.collect(with_key(clients_for(endpoint, calls), world["key"])))
    assert {operation for _, operation in calls if not operation.startswith(READS)} == set()
    made = {f"{IAM_PREFIX.get(service, service)}:{operation}" for service, operation in calls}
    assert made == {*InstanceFacts.permissions, *SnapshotFacts.permissions}


def test_a_question_that_would_change_something_is_not_asked(cloud):
    ec2 = client("ec2", cloud[0])
    for operation in ("terminate_instances", "create_tags", "run_instances", "meta"):
        with pytest.raises(SourceError, match="does not only read"):
            list(ask(ec2, Question("x", "ec2", operation, {})))


def test_everything_that_was_asked_for_is_there(collected, cloud):
    found, world = by_name(collected[0]), cloud[1]
    assert [each for each in collected[0] if isinstance(each, Missed)] == []
    assert len(found) == len(collected[0])
    machine = pages(found["ec2.describe_instances"])[0]["Reservations"][0]["Instances"][0]
    assert machine["InstanceId"] == world["instance"]
    groups = pages(found["ec2.describe_security_groups"])[0]["SecurityGroups"]
    assert [group["GroupId"] for group in groups] == [world["group"]]
    assert {f"ec2.describe_instance_attribute.{name}" for name in ATTRIBUTES} <= found.keys()
    role = pages(found["iam.get_role.web"])[0]["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
    inline = pages(found["iam.get_role_policy.web.inline"])[0]
    assert inline["PolicyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert [name for name in found if name.startswith("iam.get_policy_version.")]
    assert [name for name in found if name.startswith("elbv2.describe_target_health.")]


def test_secrets_stand_only_in_sensitive_items(collected):
    secret = (CANARY, base64.b64encode(USER_DATA.encode()).decode()[:40])
    for item in collected[0]:
        shown = any(text.encode() in item.data for text in secret)
        assert not shown or item.sensitive, item.name
    found = by_name(collected[0])
    kept = found["ec2.describe_instance_attribute.userData.UserData.0"]
    assert base64.b64decode(json.loads(kept.data)["Value"]).decode() == USER_DATA
    answer = pages(found["ec2.describe_instance_attribute.userData"])[0]
    assert answer["UserData"] == {"redacted": kept.name}


def test_the_console_is_sensitive_for_boot_scripts_print_secrets(collected):
    found = by_name(collected[0])
    assert found["ec2.get_console_output.Output.0"].sensitive
    answer = pages(found["ec2.get_console_output"])[0]
    assert answer["Output"] == {"redacted": "ec2.get_console_output.Output.0"}


def test_an_instance_that_is_gone_is_missed_and_the_rest_is_still_asked(cloud):
    found = list(
        InstanceFacts("i-0123456789abcdef0", ACCOUNT, REGION).collect(clients_for(cloud[0]))
    )
    missed = {each.name: each.error_code for each in found if isinstance(each, Missed)}
    assert missed["ec2.describe_instances"] == "InvalidInstanceID.NotFound"
    names = {each.name for each in found}
    assert {"ec2.describe_volumes", "ec2.describe_tags"} <= names - missed.keys()
    # Without an interface nothing is asked of groups, for an empty list would mean all of them.
    assert "ec2.describe_security_groups" not in names


def fail(made, operation, code, when=""):
    """Make the provider answer one operation with an error, when its request holds `when`."""

    def answer(request, **_):
        if when not in str(request.body):
            return None
        body = f"<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>"
        response = AWSResponse(request.url, 400, {}, None)
        response._content = body.encode()
        return response

    made.meta.events.register(f"before-send.ec2.{operation}", answer)


@pytest.mark.parametrize("operation", ["DescribeVolumes", "DescribeVpcs", "DescribeInstances"])
def test_a_failing_call_is_missed_with_its_code_and_the_rest_goes_on(cloud, collected, operation):
    endpoint, world = cloud
    clients = clients_for(endpoint)
    fail(clients.ec2, operation, "UnauthorizedOperation")
    found = list(InstanceFacts(world["instance"], ACCOUNT, REGION).collect(clients))
    missed = [each for each in found if isinstance(each, Missed)]
    assert [each.error_code for each in missed] == ["UnauthorizedOperation"]
    lost = {each.name for each in collected[0]} - {each.name for each in found}
    # What hangs on the instance's own description cannot be asked without it.
    hangs = {name for name in lost if name.startswith(("iam.", "ec2.describe_images"))}
    assert lost - hangs == set()
    assert bool(hangs) == (operation == "DescribeInstances")


def test_an_instance_that_cannot_give_its_latest_console_gives_the_last(cloud):
    endpoint, world = cloud
    clients = clients_for(endpoint)
    fail(clients.ec2, "GetConsoleOutput", "UnsupportedOperation", when="Latest=true")
    source = InstanceFacts(world["instance"], ACCOUNT, REGION)
    found = by_name(source.collect(clients))
    asked = json.loads(found["ec2.get_console_output"].data)["parameters"]
    assert asked == {"InstanceId": world["instance"]}
    assert found["ec2.get_console_output.Output.0"].sensitive
    fail(clients.ec2, "GetConsoleOutput", "UnsupportedOperation")
    found = by_name(source.collect(clients))
    assert found["ec2.get_console_output"].error_code == "UnsupportedOperation"


def test_an_unreachable_provider_is_missed(cloud):
    world = cloud[1]
    nowhere = clients_for("http://127.0.0.1:9")
    found = list(InstanceFacts(world["instance"], ACCOUNT, REGION).collect(nowhere))
    assert {each.error_code for each in found} == {"EndpointConnectionError"}


def with_key(clients, key):
    """Let snapshots name their KMS key, which moto leaves out."""

    def name_key(parsed, **_):
        for snapshot in parsed.get("Snapshots", []):
            snapshot["KmsKeyId"] = key

    clients.ec2.meta.events.register("after-call.ec2.DescribeSnapshots", name_key)
    return clients


def test_snapshots_tell_state_encryption_and_key_and_one_lost_hides_no_other(cloud):
    endpoint, world = cloud
    source = SnapshotFacts(("snap-00000000000000000", world["snapshot"]), ACCOUNT, REGION)
    found = list(source.collect(with_key(clients_for(endpoint), world["key"])))
    lost, snapshot, key = found
    assert lost.error_code == "InvalidSnapshot.NotFound"
    (described,) = pages(snapshot)[0]["Snapshots"]
    assert (described["State"], described["Progress"]) == ("completed", "100%")
    assert described["Encrypted"] is True
    assert pages(key)[0]["KeyMetadata"]["Arn"] == world["key"]


START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def event(number, key="AKIA1", user="alice"):
    when = (START + timedelta(seconds=number)).timestamp()
    return {
        "EventId": f"{number}",
        "EventName": "RunInstances",
        "EventTime": when,
        "AccessKeyId": key,
        "Username": user,
    }


def source(**changes):
    fields = {
        "access_key_ids": ("AKIA1",),
        "user_names": ("alice",),
        "start": START,
        "end": START + timedelta(hours=1),
        "account": ACCOUNT,
        "region": REGION,
    }
    return CloudTrailEvents(**fields | changes)


def trails(endpoint, *regions):
    made = {region: client("cloudtrail", endpoint, region) for region in regions}
    return SimpleNamespace(cloudtrails=made)


def ids(item):
    return [e["EventId"] for page in pages(item) for e in page["Events"]]


def test_events_of_every_page_key_and_name_in_both_regions():
    events = [event(n) for n in range(120)] + [event(500, "AKIA2", "bob"), event(99999)]
    with trail(events) as (endpoint, asked):
        found = list(source().collect(trails(endpoint, REGION, "us-east-1")))
    expected = [str(n) for n in range(120)]
    assert [ids(item) for item in found] == [expected] * 4
    assert len(asked) == 4 * 3
    assert {item.call for item in found} == {"cloudtrail.lookup_events"}
    # A person's name stands in the item, which can be withheld, not in its name.
    assert not [item.name for item in found if "alice" in item.name]


def test_the_home_region_us_east_1_is_asked_once():
    with trail([event(1)]) as (endpoint, asked):
        found = list(source(region="us-east-1").collect(trails(endpoint, "us-east-1")))
    assert len(found) == len(asked) == 2


def test_a_throttled_lookup_keeps_the_pages_before_and_is_missed():
    with trail([event(n) for n in range(120)], fail_from=100) as (endpoint, _):
        found = list(source(user_names=()).collect(trails(endpoint, REGION, "us-east-1")))
    item, missed = found[:2]
    assert ids(item) == [str(n) for n in range(100)]
    assert (missed.name, missed.error_code) == (item.name, "ThrottlingException")


def test_a_region_without_a_client_is_missed():
    with trail([]) as (endpoint, _):
        found = list(source(user_names=()).collect(trails(endpoint, REGION)))
    assert [type(each) for each in found] == [Item, Missed]
    assert found[1].error_code == "NoClientForRegion"


def test_late_events_are_found_the_second_time():
    events = [event(1)]
    with trail(events) as (endpoint, _):
        where = trails(endpoint, "us-east-1")
        first = list(source(region="us-east-1", user_names=()).collect(where))
        events.append(event(2))
        again = list(source(region="us-east-1", user_names=()).collect(where))
    assert [ids(item) for item in (*first, *again)] == [["1"], ["1", "2"]]
    assert source().AGAIN_AFTER == timedelta(minutes=20)


def test_environment_variables_are_secrets_wherever_they_stand():
    class Lambda:
        def can_paginate(self, _name):
            return False

        def get_function_configuration(self, **_):
            return {
                "FunctionName": "f",
                "Environment": {"Variables": {"TOKEN": CANARY}},
                "Layers": [{"UserData": CANARY}, {"UserData": ""}],
                "When": START,
                "Blob": b"\x00\xff",
                "ResponseMetadata": {"RequestId": "1"},
            }

    question = Question("f", "lambda", "get_function_configuration", {"FunctionName": "f"})
    answer, *secrets = ask(Lambda(), question)
    assert [each.name for each in secrets] == ["f.Environment.0", "f.UserData.1"]
    assert all(each.sensitive and CANARY.encode() in each.data for each in secrets)
    assert CANARY.encode() not in answer.data
    (page,) = pages(answer)
    assert page["When"] == "2026-11-23T10:00:00Z"
    assert page["Blob"] == base64.b64encode(b"\x00\xff").decode()
    assert page["Layers"][1] == {"UserData": ""}
    assert "ResponseMetadata" not in page


def test_an_answer_without_json_form_is_an_error_not_a_guess():
    class Odd:
        def can_paginate(self, _name):
            return False

        def get_odd(self):
            return {"x": {1, 2}}

    with pytest.raises(SourceError, match="no JSON form"):
        list(ask(Odd(), Question("odd", "odd", "get_odd", {})))


def test_the_same_answers_are_the_same_bytes(cloud):
    endpoint, world = cloud
    one, two = (
        [
            hashlib.sha256(each.data).hexdigest()
            for each in InstanceFacts(world["instance"], ACCOUNT, REGION).collect(
                clients_for(endpoint)
            )
            if isinstance(each, Item) and "console" not in each.name
        ]
        for _ in range(2)
    )
    assert one == two
