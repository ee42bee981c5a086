"""The attacker strips, mints and returns, the same for a seed, and only what got through counts."""

import json

import pytest

from playbooks.drills.range.adversary import HEALTH_SECONDS, Attacker
from playbooks.drills.range.estate_identity import (
    CANARY,
    MANAGEMENT,
    SCP,
    SECURITY,
    STRANGER,
    TARGET,
    build_identity,
)
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.pursuit import Pursuit
from playbooks.drills.range.world import World

DENY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
)
DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
ANN = {"UserName": TARGET}


def hunted(seed=1, delay=None):
    world = World(seed=9, clock=lambda: 1_790_000_000.0)
    estate = build_identity(world)
    if delay:
        world.delay(*delay, seed=seed)
    attacker = Attacker(world, estate.leaked, estate.target, estate.outside, STRANGER, seed)
    return world, estate, attacker, Pursuit(world, attacker, seed)


@pytest.fixture
def hunt():
    return hunted()


def held(world):
    iam = world.client("iam", world.admin)
    user = iam.get_user(**ANN)["User"]
    return {
        "attached": [
            p["PolicyName"] for p in iam.list_attached_user_policies(**ANN)["AttachedPolicies"]
        ],
        "inline": iam.list_user_policies(**ANN)["PolicyNames"],
        "groups": [g["GroupName"] for g in iam.list_groups_for_user(**ANN)["Groups"]],
        "boundary": user.get("PermissionsBoundary"),
    }


def test_it_takes_off_whatever_was_put_on_before_that_binds():
    world, _, _, pursuit = hunted(delay=(3.0, 3.0))
    iam = world.client("iam", world.admin)
    pursuit.passes(20.0)
    before = held(world)
    iam.create_group(GroupName="stopped")
    iam.put_user_policy(**ANN, PolicyName="no", PolicyDocument=DENY)
    iam.attach_user_policy(**ANN, PolicyArn=DENY_ALL)
    iam.put_user_permissions_boundary(**ANN, PermissionsBoundary=DENY_ALL)
    iam.add_user_to_group(**ANN, GroupName="stopped")
    assert held(world) != before
    pursuit.passes(1.0)
    assert held(world) == before


def test_it_turns_keys_on_again_and_has_two(hunt):
    world, estate, _, pursuit = hunt
    iam = world.client("iam", world.admin)
    pursuit.passes(30.0)
    key = {**ANN, "AccessKeyId": estate.leaked.access_key}
    iam.update_access_key(**key, Status="Inactive")
    pursuit.passes(30.0)
    states = [k["Status"] for k in iam.list_access_keys(**ANN)["AccessKeyMetadata"]]
    assert states == ["Active", "Active"]


def test_what_it_minted_lets_it_go_on_when_the_target_is_denied(hunt):
    world, _, attacker, pursuit = hunt
    iam = world.client("iam", world.admin)
    pursuit.passes(20.0)
    assert {h.of.partition("/")[0] for h in attacker.held} == {"user", "role", "session of user"}
    org = world.client("organizations", world.root_of(MANAGEMENT))
    arn = f"arn:aws:iam::{world.account}:user/{TARGET}"
    only = {"StringEquals": {"aws:PrincipalArn": arn}}
    content = json.loads(DENY)
    content["Statement"][0]["Condition"] = only
    policy = org.create_policy(Name="no", Description="-", Type=SCP, Content=json.dumps(content))[
        "Policy"
    ]["PolicySummary"]["Id"]
    org.attach_policy(PolicyId=policy, TargetId=world.account)
    cut = pursuit.seconds()
    pursuit.passes(10.0)
    assert pursuit.last_success() > cut
    by = {
        c.principal.name
        for c in world.calls
        if c.at.timestamp() > cut and not c.error and c.principal and c.principal.kind == "user"
    }
    assert TARGET not in by
    assert by
    assert iam.list_users()["Users"]


def test_an_attacker_that_is_denied_everywhere_fails_and_the_count_says_so(hunt):
    world, _, attacker, pursuit = hunt
    pursuit.passes(20.0)
    org = world.client("organizations", world.root_of(MANAGEMENT))
    policy = org.create_policy(Name="no", Description="-", Type=SCP, Content=DENY)["Policy"]
    org.attach_policy(PolicyId=policy["PolicySummary"]["Id"], TargetId=world.account)
    cut, calls = pursuit.seconds(), attacker.hands.calls
    assert pursuit.quiet(60.0, by=cut + 1.0)
    assert pursuit.last_success() <= cut
    # It goes on trying, and sessions of its role from outside are had and are worth nothing.
    assert attacker.hands.calls - calls > 60.0 / HEALTH_SECONDS
    assert pursuit.seconds() - pursuit.last_success() >= 60.0


def test_it_is_not_quiet_while_anything_gets_through(hunt):
    _, _, _, pursuit = hunt
    assert not pursuit.quiet(60.0, by=pursuit.seconds() + 5.0)


def test_a_protected_policy_is_made_harmless_instead_unless_that_is_protected_too(hunt):
    world, _, _, pursuit = hunt
    iam = world.client("iam", world.admin)
    pursuit.passes(5.0)
    statement = json.loads(DENY)["Statement"][0]
    kept = {**statement, "Action": "ec2:*"}
    kept = json.dumps({"Version": "2012-10-17", "Statement": [kept]})
    arn = iam.create_policy(PolicyName="kept", PolicyDocument=kept)["Policy"]["Arn"]
    guard = {**statement, "Action": "iam:Detach*"}
    guard["Condition"] = {"ArnEquals": {"iam:PolicyARN": arn}}
    world.attach_scps(
        world.account,
        ({"Statement": [{**statement, "Effect": "Allow"}, guard]},),
    )
    iam.attach_user_policy(**ANN, PolicyArn=arn)
    pursuit.passes(1.0)
    assert "kept" in held(world)["attached"]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] != "v1"


@pytest.mark.parametrize("seed", [3, 4])
def test_a_seed_repeats_a_run(seed):
    def run():
        world, _, attacker, pursuit = hunted(seed, (2.0, 8.0))
        pursuit.passes(12.0)
        return attacker.hands.successes, attacker.hands.calls, world.digest()

    assert run() == run()


def test_the_responder_can_become_the_canary_and_its_two_calls_get_through():
    world = World(seed=2)
    estate = build_identity(world)
    made = world.client("sts", estate.home).assume_role(
        RoleArn=estate.canary_arn, RoleSessionName="stanch-probe", DurationSeconds=900
    )["Credentials"]
    canary = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    assert world.client("iam", canary).get_role(RoleName=CANARY)["Role"]["Arn"] == estate.canary_arn
    assert world.client("ec2", canary).describe_regions()["Regions"]
    assert world.client("organizations", estate.security).describe_organization()
    assert f"::{SECURITY}:" not in estate.target_arn
