"""Requests that are none of AWS's get AWS's answers, and moto's own doors are shut."""

import urllib.error
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError

from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.server import serve


@pytest.fixture
def nobody(world, iam):
    """A user with no policy at all."""
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


@pytest.mark.parametrize(
    "path", ["/", "/moto-api/reset", "/moto-api/data.json", "/latest/meta-data/"]
)
def test_an_unsigned_request_gets_nowhere(world, path):
    before = world.digest()
    with serve(world) as endpoint:
        request = urllib.request.Request(f"{endpoint}{path}", b"Action=DescribeVpcs")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as refused:
            assert refused.code == 403
            assert b"MissingAuthenticationToken" in refused.read()
    assert world.digest() == before


def test_what_the_range_has_not_says_so_and_is_not_retried(world, ec2):
    before = len(world.calls)
    with pytest.raises(ClientError) as caught:
        ec2.get_console_screenshot(InstanceId="i-00000000000000001")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert len(world.calls) == before + 1


@pytest.mark.parametrize(
    ("service", "status", "code"),
    [("nonsense", 404, b"UnknownOperationException"), ("ec2", 400, b"InvalidAction")],
)
def test_a_service_or_action_that_aws_has_not_is_named(world, service, status, code):
    scope = f"Credential={world.admin.access_key}/20260101/eu-west-1/{service}/aws4_request"
    with serve(world) as endpoint:
        request = urllib.request.Request(
            endpoint,
            b"Action=MakeCoffee&Version=2016-11-15",
            {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"},
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as refused:
            assert refused.code == status
            assert code in refused.read()


@pytest.mark.parametrize(
    ("service", "call", "params", "code"),
    [
        ("ec2", "describe_vpcs", {}, "UnauthorizedOperation"),
        ("iam", "list_users", {}, "AccessDenied"),
        ("cloudtrail", "lookup_events", {}, "AccessDeniedException"),
        ("s3", "get_object", {"Bucket": "b", "Key": "k"}, "AccessDenied"),
        ("autoscaling", "suspend_processes", {"AutoScalingGroupName": "g"}, "AccessDenied"),
        (
            "elbv2",
            "deregister_targets",
            {"TargetGroupArn": "arn:aws:x", "Targets": [{"Id": "i-0a"}]},
            "AccessDenied",
        ),
    ],
)
def test_each_protocol_says_no_in_its_own_words(
    world, nobody, refused, service, call, params, code
):
    assert refused(getattr(world.client(service, nobody), call), **params) == code


def test_everyone_may_ask_who_they_are(world, nobody):
    assert world.client("sts", nobody).get_caller_identity()["Arn"].endswith(":user/nobody")


def test_other_regions_and_accounts_are_worlds_of_their_own(world, ec2):
    before = world.digest()
    away = world.client("ec2", world.admin, "eu-central-1")
    other = world.client("ec2", world.root_of("999988887777"))
    own = {c.describe_vpcs()["Vpcs"][0]["VpcId"] for c in (ec2, away, other)}
    assert len(own) == 3
    assert world.digest() == before
    away.create_security_group(GroupName="g", Description="-")
    assert world.digest() != before
    assert other.describe_security_groups()["SecurityGroups"][0]["OwnerId"] == "999988887777"


def test_a_tampered_request_over_http_fails_its_signature(world):
    with serve(world) as endpoint:
        client = boto3.client(
            "ec2",
            endpoint_url=endpoint,
            region_name=world.region,
            aws_access_key_id=world.admin.access_key,
            aws_secret_access_key=world.admin.secret_key,
        )

        def tamper(request, **_):
            request.body = request.body.replace("DescribeVpcs", "CreateDefaultVpc")
            request.headers["Content-Length"] = str(len(request.body))

        client.meta.events.register("before-send", tamper)
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            client.describe_vpcs()
        client.close()
