"""An address that carries its signature opens what was signed, for as long, and nothing else."""

import time

import boto3
import pytest
import requests
from botocore.config import Config

from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World

BUCKET = "uploads"
HEADERS = {"If-None-Match": "*", "x-amz-expected-bucket-owner": "111122223333"}


@pytest.fixture
def world():
    return World(seed=3)


@pytest.fixture
def s3(world):
    with serve(world) as endpoint:
        client = world.session(world.admin).client("s3")
        where = {"LocationConstraint": world.region}
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        yield boto3.client(
            "s3",
            region_name=world.region,
            endpoint_url=endpoint,
            aws_access_key_id=world.admin.access_key,
            aws_secret_access_key=world.admin.secret_key,
            config=Config(signature_version="s3v4"),
        )


def address(s3, key="one", seconds=60, owner="111122223333"):
    asked = {"Bucket": BUCKET, "Key": key, "IfNoneMatch": "*", "ExpectedBucketOwner": owner}
    return s3.generate_presigned_url("put_object", asked, ExpiresIn=seconds)


def put(url, headers=HEADERS, data=b"content"):
    return requests.put(url, data=data, headers=headers, timeout=10)


def test_it_uploads_what_it_is_for_and_once(s3):
    url = address(s3)
    assert put(url).status_code == 200
    assert s3.get_object(Bucket=BUCKET, Key="one")["Body"].read() == b"content"
    again = put(url, data=b"other")
    assert (again.status_code, "PreconditionFailed" in again.text) == (412, True)
    assert s3.get_object(Bucket=BUCKET, Key="one")["Body"].read() == b"content"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda u: u.replace("/one?", "/two?"), id="another-key"),
        pytest.param(lambda u: u.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), id="longer"),
        pytest.param(lambda u: u[:-4] + "0000", id="another-signature"),
    ],
)
def test_what_is_changed_in_it_is_refused(s3, change):
    refused = put(change(address(s3)))
    assert (refused.status_code, "SignatureDoesNotMatch" in refused.text) == (403, True)


def test_a_header_that_was_signed_must_come_along(s3):
    assert put(address(s3), {}).status_code == 403


def test_a_bucket_of_another_account_gets_nothing(s3):
    other = "999988887777"
    url = address(s3, owner=other)
    refused = put(url, {**HEADERS, "x-amz-expected-bucket-owner": other})
    assert (refused.status_code, "AccessDenied" in refused.text) == (403, True)
    assert not s3.list_objects_v2(Bucket=BUCKET).get("Contents")


def test_it_does_not_read(s3):
    assert requests.get(address(s3), headers=HEADERS, timeout=10).status_code == 403


def test_it_ends(s3, monkeypatch):
    url, later = address(s3), time.time() + 61
    monkeypatch.setattr("playbooks.drills.range.sigv4.time.time", lambda: later)
    refused = put(url)
    assert (refused.status_code, "expired" in refused.text) == (403, True)


def test_it_does_no_more_than_whoever_signed_it_may(world, s3):
    iam = world.client("iam", world.admin)
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    poor = boto3.client(
        "s3",
        region_name=world.region,
        endpoint_url=s3.meta.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(signature_version="s3v4"),
    )
    assert put(address(poor)).status_code == 403
