"""CloudTrail tells what was really asked, late (AWS: LookupEvents, CloudTrail record contents)."""

import json
from datetime import timedelta

import pytest


@pytest.fixture
def look(world):
    def up(region="", credentials=None, **how):
        trail = world.client("cloudtrail", credentials or world.admin, region)
        pages = trail.get_paginator("lookup_events").paginate(**how)
        return [event for page in pages for event in page["Events"]]

    return up


def by(key, value) -> dict:
    return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}


@pytest.fixture
def attacked(world, estate):
    held = world.instance_credentials(estate.target)
    world.client("ec2", held).describe_instances()
    world.client("s3", held).list_buckets()
    world.client("s3", held).get_object(Bucket=estate.bucket, Key=estate.object_key)
    world.client("iam", held).list_roles()
    with pytest.raises(Exception, match="UnauthorizedOperation"):
        world.client("ec2", held).terminate_instances(InstanceIds=[estate.sibling])
    return held


def names(events) -> list[str]:
    return [e["EventName"] for e in events]


def test_events_appear_after_the_lag_and_newest_first(world, attacked, look):
    mine = by("AccessKeyId", attacked.access_key)
    assert look(**mine) == []
    world.tick(15 * 60 - 30)
    assert look(**mine) == []
    world.tick(31)
    assert names(look(**mine)) == ["TerminateInstances", "ListBuckets", "DescribeInstances"]


def test_iam_is_recorded_in_us_east_1_and_objects_nowhere(world, attacked, look):
    world.tick(3600)
    mine = by("AccessKeyId", attacked.access_key)
    assert names(look("us-east-1", **mine)) == ["ListRoles"]
    assert look("eu-west-2", **mine) == []
    assert "GetObject" not in names(look(**mine))


def test_an_event_says_who_what_and_how_it_ended(world, estate, attacked, look):
    world.tick(3600)
    [event] = look(**by("EventName", "TerminateInstances"))
    assert event["Username"] == estate.target
    assert event["EventSource"] == "ec2.amazonaws.com"
    assert event["ReadOnly"] == "false"
    assert {"ResourceType": "AWS::EC2::Instance", "ResourceName": estate.sibling} in event[
        "Resources"
    ]
    record = json.loads(event["CloudTrailEvent"])
    assert record["errorCode"] == "Client.UnauthorizedOperation"
    assert record["requestParameters"] == {"instanceIds": [estate.sibling]}
    assert record["recipientAccountId"] == world.account
    identity = record["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"].endswith(f"assumed-role/{estate.role}/{estate.target}")
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == estate.role
    assert identity["sessionContext"]["ec2RoleDelivery"] == "2.0"
    assert event["EventId"] == world.calls[-2].request_id


@pytest.mark.parametrize(
    ("key", "value", "finds"),
    [
        ("ReadOnly", "false", True),
        ("EventSource", "ec2.amazonaws.com", True),
        ("EventSource", "sns.amazonaws.com", False),
        ("ResourceType", "AWS::EC2::Instance", True),
        ("ResourceName", "i-none", False),
        ("EventId", "no such id", False),
    ],
)
def test_each_attribute_selects(world, attacked, look, key, value, finds):
    world.tick(3600)
    found = look(**by(key, value))
    assert ("TerminateInstances" in names(found)) is finds
    assert bool(found) is finds


def test_times_select_and_90_days_is_the_end(world, attacked, look):
    done = world.now()
    world.tick(3600)
    mine = by("AccessKeyId", attacked.access_key)
    hour = timedelta(hours=1)
    assert len(look(**mine, StartTime=done - hour, EndTime=done + hour)) == 3
    assert look(**mine, StartTime=done + timedelta(minutes=1)) == []
    assert look(**mine, EndTime=done - hour) == []
    world.tick(90 * 86400)
    assert look(**mine) == []


def test_pages_hold_while_new_events_arrive(world, look, ec2):
    for _ in range(7):
        ec2.describe_vpcs()
    world.tick(3600)
    trail = world.client("cloudtrail", world.admin)
    wanted = by("EventName", "DescribeVpcs")
    seen, token = [], {}
    while True:
        page = trail.lookup_events(**wanted, MaxResults=3, **token)
        seen += [e["EventId"] for e in page["Events"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
        ec2.describe_vpcs()
        world.tick(3600)
    assert len(seen) == len(set(seen)) == 7


def test_wrong_questions_are_refused(world, refused):
    lookup = world.client("cloudtrail", world.admin).lookup_events
    two = by("EventName", "A")["LookupAttributes"] * 2
    assert refused(lookup, LookupAttributes=two) == "InvalidLookupAttributesException"
    assert refused(lookup, NextToken="junk") == "InvalidNextTokenException"
    now = world.now()
    late = {"StartTime": now, "EndTime": now - timedelta(hours=1)}
    assert refused(lookup, **late) == "InvalidTimeRangeException"


def test_assuming_across_accounts_is_recorded_on_both_sides(world, estate, look):
    world.client("sts", estate.responder).assume_role(
        RoleArn=estate.responder_role, RoleSessionName="inc-1", ExternalId=estate.external_id
    )
    world.tick(3600)
    wanted = by("EventName", "AssumeRole")
    there = world.root_of(estate.responder_account)
    [here], [away] = look(**wanted), look(credentials=there, **wanted)
    assert here["EventId"] == away["EventId"]
    sides = [json.loads(e["CloudTrailEvent"])["recipientAccountId"] for e in (here, away)]
    assert sides == [world.account, estate.responder_account]


def test_secrets_are_not_recorded(world, ec2, look):
    ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, UserData="canary-in-user-data")
    world.tick(3600)
    [event] = look(**by("EventName", "RunInstances"))
    record = json.loads(event["CloudTrailEvent"])
    assert record["requestParameters"]["userData"] == "<sensitiveDataRemoved>"
    assert "canary" not in event["CloudTrailEvent"]
