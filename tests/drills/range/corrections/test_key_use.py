"""A key's last use is noted, allowed or not, once in 15 minutes (IAM: GetAccessKeyLastUsed)."""

import pytest
from botocore.exceptions import ClientError

from playbooks.drills.range.keys import Credentials


@pytest.fixture
def made(iam):
    iam.create_user(UserName="ci")
    return iam.create_access_key(UserName="ci")["AccessKey"]


def last(iam, made):
    found = iam.get_access_key_last_used(AccessKeyId=made["AccessKeyId"])
    return found["AccessKeyLastUsed"].get("LastUsedDate")


def use(world, made, service="sts"):
    held = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    client = world.client(service, held)
    return client.get_caller_identity() if service == "sts" else client.list_users()


def test_a_key_that_was_never_used_has_no_date(iam, made):
    assert last(iam, made) is None


def test_the_first_use_of_a_quarter_of_an_hour_is_what_is_noted(world, iam, made):
    use(world, made)
    first = last(iam, made)
    world.tick(14 * 60)
    use(world, made)
    assert last(iam, made) == first
    world.tick(60)
    use(world, made)
    assert (last(iam, made) - first).total_seconds() >= 15 * 60


def test_a_refused_call_is_a_use_and_one_with_a_wrong_signature_is_none(world, iam, made):
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        use(world, made | {"SecretAccessKey": "x" * 40})
    assert last(iam, made) is None
    with pytest.raises(ClientError, match="AccessDenied"):
        use(world, made, "iam")
    assert last(iam, made) is not None
