"""The digest sees what is changed in the services that an attacker leaves things in."""

import io
import json
import zipfile

import pytest

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "lambda.amazonaws.com"},
            }
        ],
    }
)
NAMED = {"FunctionName": "job"}


@pytest.fixture
def functions(world, iam):
    role = iam.create_role(RoleName="job", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("job.py", "def run(event, context): ...\n")
    made = world.client("lambda", world.admin)
    made.create_function(
        **NAMED,
        Runtime="python3.12",
        Role=role,
        Handler="job.run",
        Code={"ZipFile": packed.getvalue()},
    )
    return made


def test_a_function_that_may_not_run_is_another_world_until_it_may_again(world, functions):
    before = world.digest()
    functions.put_function_concurrency(**NAMED, ReservedConcurrentExecutions=0)
    assert world.digest() != before
    functions.delete_function_concurrency(**NAMED)
    assert world.digest() == before


def test_who_may_call_a_function_is_in_the_digest_and_looking_is_not(world, functions):
    before = world.digest()
    functions.add_permission(
        **NAMED, StatementId="open", Action="lambda:InvokeFunction", Principal="*"
    )
    opened = world.digest()
    assert opened != before
    functions.get_policy(**NAMED)
    functions.list_functions()
    world.client("events", world.admin).list_rules()
    world.client("sso-admin", world.admin).list_instances()
    assert world.digest() == opened
    functions.remove_permission(**NAMED, StatementId="open")
    assert world.digest() == before


def test_people_and_their_groups_are_in_the_digest(world):
    instance = world.client("sso-admin", world.admin).list_instances()["Instances"][0]
    store = {"IdentityStoreId": instance["IdentityStoreId"]}
    people = world.client("identitystore", world.admin)
    before = world.digest()
    group = people.create_group(**store, DisplayName="staff")["GroupId"]
    assert world.digest() != before
    people.delete_group(**store, GroupId=group)
    assert world.digest() == before
