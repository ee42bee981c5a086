"""A deny on one instance's sessions stops them all and nobody else, and every clause matters."""

import copy
import json

import pytest
from botocore.exceptions import ClientError

from playbooks.drills.range.estate import build_estate
from playbooks.drills.range.world import World


@pytest.fixture(scope="module")
def built():
    world = World(seed=21)
    return world, build_estate(world)


@pytest.fixture
def role(built):
    """The role's policies, put back after each test."""
    world, estate = built
    yield
    iam = world.client("iam", world.admin)
    if "cut" in iam.list_role_policies(RoleName=estate.role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=estate.role, PolicyName="cut")


def put(built, *statements) -> None:
    world, estate = built
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    world.client("iam", world.admin).put_role_policy(
        RoleName=estate.role, PolicyName="cut", PolicyDocument=text
    )


def of_instance(built, which="target") -> str:
    world, estate = built
    instance = getattr(estate, which)
    return f"arn:aws:ec2:{world.region}:{world.account}:instance/{instance}"


def can(built, which="target") -> set[str]:
    """What a client with this instance's credentials can do right now."""
    world, estate = built
    held = world.instance_credentials(getattr(estate, which))
    attempts = {
        "buckets": world.client("s3", held).list_buckets,
        "object": lambda: world.client("s3", held).get_object(
            Bucket=estate.bucket, Key=estate.object_key
        ),
        "instances": world.client("ec2", held).describe_instances,
        "roles": world.client("iam", held).list_roles,
    }
    done = set()
    for name, attempt in attempts.items():
        try:
            attempt()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            assert code in ("AccessDenied", "UnauthorizedOperation"), code
        else:
            done.add(name)
    return done


EVERYTHING = {"buckets", "object", "instances", "roles"}


def deny(built, **changes):
    statement = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"ArnEquals": {"ec2:SourceInstanceARN": of_instance(built)}},
    }
    return {**statement, **changes}


@pytest.mark.usefixtures("role")
def test_it_stops_the_target_and_not_its_sibling(built):
    assert can(built) == can(built, "sibling") == EVERYTHING
    put(built, deny(built))
    assert can(built) == set()
    assert can(built, "sibling") == EVERYTHING


@pytest.mark.usefixtures("role")
def test_keys_taken_before_and_fetched_after_are_both_stopped(built):
    world, estate = built
    before = world.instance_credentials(estate.target)
    put(built, deny(built))
    world.tick(6 * 3600)
    after = world.instance_credentials(estate.target)
    assert after != before
    assert can(built) == set()


@pytest.mark.usefixtures("role")
def test_a_not_action_deny_leaves_just_what_it_names(built):
    statement = deny(built, NotAction=["s3:ListAllMyBuckets"])
    del statement["Action"]
    put(built, statement)
    assert can(built) == {"buckets"}


def mutations(built):
    """Every clause of the deny, changed in every way that should make it miss."""
    good = deny(built)
    arn = of_instance(built)
    key = "ec2:SourceInstanceARN"
    conditions = {
        "the sibling's ARN": {"ArnEquals": {key: of_instance(built, "sibling")}},
        "another region": {"ArnEquals": {key: arn.replace("eu-west-1", "eu-west-2")}},
        "another account": {"ArnEquals": {key: arn.replace("111122223333", "111122223334")}},
        "a cut ARN": {"ArnEquals": {key: arn[:-1]}},
        "another key": {"ArnEquals": {"aws:SourceArn": arn}},
        "the opposite operator": {"ArnNotEquals": {key: arn}},
        "case-folded ARN": {"StringEquals": {key: arn.upper()}},
        "one more condition": {"ArnEquals": {key: arn}, "Bool": {"aws:SecureTransport": "false"}},
        "absent key wanted": {"Null": {key: "true"}},
        "an older session": {
            "ArnEquals": {key: arn},
            "DateLessThan": {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"},
        },
    }
    for name, condition in conditions.items():
        yield name, {**good, "Condition": condition}
    yield "Effect Allow", {**good, "Effect": "Allow"}
    yield "one service", {**good, "Action": "sqs:*"}
    yield "one resource", {**good, "Resource": "arn:aws:s3:::elsewhere"}
    rest = {k: v for k, v in copy.deepcopy(good).items() if k != "Action"}
    yield "NotAction of all", {**rest, "NotAction": "*"}
    rest = {k: v for k, v in copy.deepcopy(good).items() if k != "Resource"}
    yield "NotResource of all", {**rest, "NotResource": "*"}


@pytest.mark.usefixtures("role")
def test_a_mutation_of_any_clause_lets_the_attacker_through(built):
    through = {}
    for name, statement in mutations(built):
        put(built, statement)
        through[name] = can(built)
    assert through == dict.fromkeys(through, EVERYTHING)
    assert len(through) == 15


@pytest.mark.usefixtures("role")
def test_without_its_condition_the_deny_would_take_the_sibling_too(built):
    statement = deny(built)
    del statement["Condition"]
    put(built, statement)
    assert can(built) == can(built, "sibling") == set()


@pytest.mark.usefixtures("role")
def test_a_cut_off_time_stops_old_sessions_of_all_and_spares_new_ones(built):
    world, _ = built
    world.instance_credentials(built[1].target)
    world.tick(2)
    cut = world.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    put(built, deny(built, Condition={"DateLessThan": {"aws:TokenIssueTime": cut}}))
    assert can(built) == can(built, "sibling") == set()
    world.tick(6 * 3600)
    assert can(built) == EVERYTHING
