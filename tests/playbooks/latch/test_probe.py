"""The probe says effective only of what was seen, everywhere, and is deceived by nothing else."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from actions.aws import latch
from actions.aws.clients import Aws
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World
from playbooks.latch.exposure import RACE_EXPOSED, exposure
from playbooks.latch.probe import (
    ALLOWED,
    DENIED,
    IAM,
    Canary,
    Proof,
    Sighting,
    borrow,
    verdict,
    watch,
)
from playbooks.wiring.latch_part import Latch
from tests.actions.driver import Clock, run

START = datetime(2026, 3, 1, tzinfo=UTC)
PLACES = (IAM, "eu-west-1", "us-east-1")
MET = st.sampled_from([ALLOWED, DENIED, "Throttling", "InvalidClientTokenId"])
SIGHTS = st.fixed_dictionaries(dict.fromkeys(PLACES, MET))


def sighting(places, seconds=0.0):
    return Sighting(START + timedelta(seconds=seconds), places)


@given(SIGHTS, SIGHTS)
def test_effective_is_said_only_where_each_call_went_through_before_and_is_denied_now(then, now):
    said = verdict(sighting(then), sighting(now))
    proven = all(then[p] == ALLOWED and now[p] == DENIED for p in PLACES)
    assert (said == "effective") == proven
    assert (said == "not yet") == (ALLOWED in now.values())


@given(SIGHTS, st.lists(SIGHTS, min_size=1, max_size=12), st.integers(1, 4))
def test_a_proof_rests_on_that_many_looks_in_a_row_and_dates_from_their_first(then, seen, steady):
    clock, left = Clock(), [*seen]

    def look():
        # What was seen last goes on.
        return sighting(left.pop(0) if len(left) > 1 else left[0], clock.now)

    proof = run(watch(look, sighting(then), START, steady=steady, limit=10.0), clock)
    went_on = [*seen, *[seen[-1]] * 40][: proof.looks]
    shown = [verdict(sighting(then), sighting(one)) == "effective" for one in went_on]
    assert (proof.verdict == "effective") == (len(shown) >= steady and all(shown[-steady:]))
    if proof.verdict == "effective":
        first = proof.looks - steady
        assert proof.since == START + timedelta(seconds=0.5 * first)
        assert proof.took == proof.since - proof.asked
    else:
        assert proof.since is None
        assert proof.took is None
    assert clock.now <= 10.0
    assert json.loads(json.dumps(proof.json()))["verdict"] == proof.verdict


def test_where_the_canary_was_denied_before_nothing_is_waited_for():
    """Another incident holds it, or its own policy is gone: no look can prove anything."""
    clock = Clock()
    denied = sighting(dict.fromkeys(PLACES, DENIED))
    proof = run(watch(lambda: denied, denied, START), clock)
    assert proof == Proof("unknown", START, None, 1, denied.places)
    assert clock.waits == []


@pytest.fixture
def world():
    made = World(seed=5)
    iam = made.client("iam", made.admin)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust["Principal"] = {"AWS": f"arn:aws:iam::{made.account}:root"}
    allow = {"Effect": "Allow", "Action": ["iam:GetRole", "ec2:DescribeRegions"], "Resource": "*"}
    iam.create_role(
        RoleName="stanch-canary",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam.put_role_policy(
        RoleName="stanch-canary",
        PolicyName="harmless",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    return made


def canary(world) -> Canary:
    keys = world.client("iam", world.admin)
    keys.create_user(UserName="stanch")
    keys.put_user_policy(
        UserName="stanch",
        PolicyName="assume",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}],
            }
        ),
    )
    made = keys.create_access_key(UserName="stanch")["AccessKey"]
    own = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    p = Aws(world.account, world.region, lambda service: world.client(service, own))

    def borrowed(given):
        given = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return lambda service, region: world.client(service, given, region)

    return borrow(p, "stanch-canary", (world.region, "us-east-1"), borrowed, world.now)


ALL = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def test_a_latch_shows_on_the_canary_and_goes_again(world):
    bird = canary(world)
    before = bird.look()
    assert set(before.places.values()) == {ALLOWED}
    named = latch.document([f"arn:aws:iam::{world.account}:role/stanch-canary"])
    world.attach_scps(world.account, (ALL, named))
    asked = world.now()
    proof = run(watch(bird.look, before, asked), world.tick)
    assert (proof.verdict, proof.looks, set(proof.places.values())) == ("effective", 3, {DENIED})
    world.attach_scps(world.account, (ALL, latch.document([])))
    assert bird.look().places == before.places


def test_a_managed_deny_on_the_canary_shows_as_well_where_there_is_no_organisation(world):
    bird = canary(world)
    before = bird.look()
    iam = world.client("iam", world.admin)
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    made = iam.create_policy(
        PolicyName="stanch-deny-7",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    iam.attach_role_policy(RoleName="stanch-canary", PolicyArn=made["Policy"]["Arn"])
    proof = run(watch(bird.look, before, world.now()), world.tick)
    assert proof.verdict == "effective"


def test_who_am_i_would_have_been_deceived(world):
    """Why the probe asks something else: the denied are answered all the same."""
    bird = canary(world)
    named = latch.document([f"arn:aws:iam::{world.account}:role/stanch-canary"])
    world.attach_scps(world.account, (ALL, named))
    assert set(bird.look().places.values()) == {DENIED}
    assert "stanch-canary" in bird.client("sts", world.region).get_caller_identity()["Arn"]


def test_a_canary_that_is_gone_is_no_proof(world):
    bird = canary(world)
    before = bird.look()
    iam = world.client("iam", world.admin)
    iam.delete_role_policy(RoleName="stanch-canary", PolicyName="harmless")
    iam.delete_role(RoleName="stanch-canary")
    clock = Clock(world.tick)
    proof = run(watch(bird.look, before, world.now(), limit=2.0), clock)
    assert (proof.verdict, clock.now) == ("unknown", 2.0)


def test_a_network_that_is_gone_is_no_proof():
    def client(_service, _region):
        def fail(**_):
            raise EndpointConnectionError(endpoint_url="https://example.org")

        return SimpleNamespace(get_role=fail, describe_regions=fail)

    seen = Canary("c", client, ("eu-west-1",), lambda: START).look()
    assert set(seen.places.values()) == {"EndpointConnectionError"}


def test_a_canary_that_cannot_be_assumed_says_so(world):
    world.client("iam", world.admin).delete_role_policy(
        RoleName="stanch-canary", PolicyName="harmless"
    )
    world.client("iam", world.admin).delete_role(RoleName="stanch-canary")
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        canary(world)


PART = {"admin": "4" * 12, "management": "9" * 12, "organization": "o-exampleorgid"}


def test_an_account_is_race_exposed_unless_a_latch_is_there_that_can_bind_it():
    whole = Latch(**PART, policy="p-examplelatch")
    assert exposure(whole, "1" * 12) == ""
    for part, account in ((None, "1" * 12), (Latch(**PART), "1" * 12), (whole, "9" * 12)):
        said = exposure(part, account)
        assert said.startswith(RACE_EXPOSED)
        assert account in said
