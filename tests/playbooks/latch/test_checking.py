"""A latch made as planned is found well and works; each thing amiss with it is found and named."""

import json

import pytest
from botocore.exceptions import ClientError

from actions.aws import latch
from actions.aws.latch_principal import LatchPrincipal
from playbooks.latch import organisation, trying
from playbooks.latch.organisation import Found
from tests.actions.aws.operating import Operator
from tests.actions.driver import run
from tests.playbooks.latch.realm import (
    ACCOUNTS,
    ADMIN,
    HOME,
    MANAGEMENT,
    REGION,
    RESPONDER,
    apart,
    document,
)


def read(realm) -> list[Found]:
    org = realm.provider(ADMIN).organizations
    return [
        *organisation.policies(org, realm.part, realm.plan),
        *organisation.bound(org, realm.part, ACCOUNTS),
        *organisation.writers(org, realm.part),
    ]


def tried(realm) -> list[Found]:
    found, birds = [], []
    providers = {account: realm.provider(account) for account in ACCOUNTS}
    regions = dict.fromkeys(ACCOUNTS, (REGION, "us-east-1"))
    world = realm.world
    for one in trying.canaries(realm.part, providers, regions, realm.borrowed, world.now):
        (found if isinstance(one, Found) else birds).append(one)
    found += trying.tried(realm.part, providers[ADMIN], birds, lambda steps: run(steps, world.tick))
    return found


def trouble(found) -> dict[str, str]:
    return {f"{one.level} {one.about}": one.what for one in found if one.level != "ok"}


def content(realm) -> str:
    return realm.org.describe_policy(PolicyId=realm.part.policy)["Policy"]["Content"]


@apart
def test_as_planned_all_is_well_and_the_try_leaves_nothing_behind(realm):
    before = content(realm)
    assert trouble(read(realm)) == {}
    said = tried(realm)
    assert trouble(said) == {}
    assert [one.about for one in said if one.about.startswith("try")] == [
        f"try {HOME}",
        f"try {ADMIN}",
    ]
    assert content(realm) == before


@apart
def test_the_planned_delegation_is_enough_to_read_and_to_latch_and_for_no_more(realm):
    alice = realm.person(HOME, "alice")
    iam = realm.world.client("iam", alice)
    assert iam.get_user()["User"]["UserName"] == "alice"
    op = Operator(realm.world)
    op.p = realm.provider(ADMIN)
    arn = f"arn:aws:iam::{HOME}:user/alice"
    op.apply(LatchPrincipal(ADMIN, realm.part.policy, (arn,)))
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.get_user()
    org = op.p.organizations
    for call in (
        lambda: org.update_policy(PolicyId=realm.part.shield, Content="{}"),
        lambda: org.detach_policy(PolicyId=realm.part.policy, TargetId=HOME),
        lambda: org.delete_policy(PolicyId=realm.part.policy),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
    bob = realm.person(ADMIN, "bob")  # an administrator of the account, who is no responder
    with pytest.raises(ClientError, match="AccessDenied"):
        realm.world.client("organizations", bob).update_policy(
            PolicyId=realm.part.policy, Content="{}"
        )


@apart
def test_under_the_shield_an_administrator_cannot_take_a_denial_off(realm):
    """With the real calls, and whatever the name: to detach, to version, to delete, to forge."""
    mallory = realm.world.client("iam", realm.person(HOME, "mallory"))
    stanch = realm.provider(HOME).iam
    deny = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}],
        }
    )
    made = stanch.create_policy(PolicyName="stanch-deny-7", PolicyDocument=deny)["Policy"]["Arn"]
    stanch.attach_user_policy(UserName="mallory", PolicyArn=made)
    canary, allow = realm.part.canary, document(Action="*", Resource="*")
    for call in (
        lambda: mallory.detach_user_policy(UserName="mallory", PolicyArn=made),
        lambda: mallory.create_policy_version(PolicyArn=made, PolicyDocument=allow),
        lambda: mallory.delete_policy(PolicyArn=made),
        lambda: mallory.create_policy(PolicyName="stanch-deny-8", PolicyDocument=allow),
        lambda: mallory.delete_role_policy(RoleName=canary, PolicyName="harmless"),
        lambda: mallory.update_assume_role_policy(RoleName=canary, PolicyDocument=allow),
        lambda: mallory.update_assume_role_policy(RoleName=RESPONDER, PolicyDocument=allow),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
    mallory.create_user(UserName="still-works")
    stanch.detach_user_policy(UserName="mallory", PolicyArn=made)
    stanch.delete_policy(PolicyArn=made)


@apart
def test_attached_above_is_attached_and_nowhere_is_race_exposed(realm):
    root = realm.org.list_roots()["Roots"][0]["Id"]
    for policy in (realm.part.policy, realm.part.shield):
        realm.org.detach_policy(PolicyId=policy, TargetId=HOME)
    assert set(trouble(read(realm))) == {f"bad account {HOME}"}
    unit = realm.org.create_organizational_unit(ParentId=root, Name="shop")
    unit = unit["OrganizationalUnit"]["Id"]
    realm.org.move_account(AccountId=HOME, SourceParentId=root, DestinationParentId=unit)
    realm.org.attach_policy(PolicyId=realm.part.policy, TargetId=unit)
    realm.org.attach_policy(PolicyId=realm.part.shield, TargetId=root)
    assert trouble(read(realm)) == {}


@apart
def test_a_latch_that_does_not_bind_is_seen_by_trying_it(realm):
    realm.org.detach_policy(PolicyId=realm.part.policy, TargetId=HOME)
    said = trouble(tried(realm))
    assert list(said) == [f"bad try {HOME}"]
    assert "latched and is not yet denied" in said[f"bad try {HOME}"]
    assert latch.latched(content(realm)) == ()


@apart
def test_the_management_account_is_said_to_be_bound_by_nothing(realm):
    org = realm.provider(ADMIN).organizations
    found = list(organisation.bound(org, realm.part, [MANAGEMENT]))
    assert trouble(found) == {
        f"warn account {MANAGEMENT}": "the management account: no such policy binds it"
    }


@apart
def test_policies_that_are_off_bind_nobody(realm):
    root = realm.org.list_roots()["Roots"][0]["Id"]
    org = realm.org
    org.disable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    assert "bad organisation" in trouble(organisation.bound(org, realm.part, [HOME]))


MINE = {"Sid": "Mine", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}


def changed(realm, which, change):
    whole = json.loads(
        realm.org.describe_policy(PolicyId=getattr(realm.part, which))["Policy"]["Content"]
    )
    change(whole)
    realm.org.update_policy(PolicyId=getattr(realm.part, which), Content=json.dumps(whole))


@pytest.mark.parametrize(
    ("which", "change", "about"),
    [
        ("policy", lambda w: w["Statement"].append(MINE), "latch"),
        ("policy", lambda w: w["Statement"][0].update(Action="s3:*"), "latch"),
        ("policy", lambda w: w["Statement"][0].update(Sid="Other"), "latch"),
        ("shield", lambda w: w["Statement"].pop(), "shield"),
        ("shield", lambda w: w["Statement"][0].update(Effect="Allow"), "shield"),
    ],
)
@apart
def test_what_somebody_changed_in_a_policy_is_drift(realm, which, change, about):
    changed(realm, which, change)
    assert list(trouble(read(realm))) == [f"bad {about}"]


@apart
def test_whom_the_latch_names_is_no_drift_and_takes_room(realm):
    named = [f"arn:aws:iam::{HOME}:role/{n:040}" for n in range(60)]
    realm.org.update_policy(
        PolicyId=realm.part.policy, Content=latch.packed(latch.document(named[:2]))
    )
    found = read(realm)
    assert trouble(found) == {}
    [room] = [one.what for one in found if one.about == "room"]
    assert room.startswith(f"2 principals are latched ({named[0]}, {named[1]}); room for ")
    full = realm.part.model_copy(update={"characters": 1024})
    org = realm.provider(ADMIN).organizations
    realm.org.update_policy(
        PolicyId=realm.part.policy, Content=latch.packed(latch.document(named[:13]))
    )
    assert list(trouble(organisation.policies(org, full, realm.plan))) == ["bad room"]


@pytest.mark.parametrize(
    ("part", "about"),
    [
        ({"policy": None}, "latch"),
        ({"shield": None}, "shield"),
        ({"policy": "p-0000000000"}, "latch"),
    ],
)
@apart
def test_a_policy_that_is_not_named_or_not_there_is_said(realm, part, about):
    realm.part = realm.part.model_copy(update=part)
    assert f"bad {about}" in trouble(read(realm))


@apart
def test_whoever_else_may_change_the_policies_is_named(realm):
    more = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
        "Action": ["organizations:Detach*", "organizations:ListRoots"],
        "Resource": "*",
    }
    whole = {"Version": "2012-10-17", "Statement": [*realm.plan.delegation, more]}
    realm.org.put_resource_policy(Content=json.dumps(whole))
    [said] = trouble(read(realm)).values()
    assert said == f"arn:aws:iam::{HOME}:root may DetachPolicy on *"
    realm.org.delete_resource_policy()
    assert "bad writers" in trouble(organisation.writers(realm.org, realm.part))


@apart
def test_a_canary_that_an_incident_holds_is_left_alone(realm):
    arn = f"arn:aws:iam::{HOME}:role/{realm.part.canary}"
    op = Operator(realm.world)
    op.p = realm.provider(ADMIN)
    op.apply(LatchPrincipal(ADMIN, realm.part.policy, (arn,)))
    before = content(realm)
    assert f"bad canary {HOME}" in trouble(tried(realm))
    assert content(realm) == before


@apart
def test_a_canary_that_is_missing_is_said_and_the_others_are_tried(realm):
    iam = realm.provider(HOME).iam
    iam.delete_role_policy(RoleName=realm.part.canary, PolicyName="harmless")
    iam.delete_role(RoleName=realm.part.canary)
    said = tried(realm)
    assert list(trouble(said)) == [f"bad canary {HOME}"]
    assert f"try {ADMIN}" in {one.about for one in said}


@apart
def test_without_the_delegation_the_try_says_why_and_changes_nothing(realm):
    before = content(realm)
    realm.org.delete_resource_policy()
    said = trouble(tried(realm))
    assert list(said) == ["bad try"]
    assert "AccessDenied" in said["bad try"]
    assert content(realm) == before
