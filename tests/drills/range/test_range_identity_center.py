"""People sign in to roles of permission sets (IAM Identity Center: permission sets, revoking)."""

import json

import pytest

from playbooks.drills.range.digest import state
from playbooks.drills.range.errors import UnknownThingError
from playbooks.drills.range.keys import Credentials

NAME = {"GivenName": "A", "FamilyName": "B"}


def document(*statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture
def sso(world):
    return world.client("sso-admin", world.admin)


class Center:
    """An instance with one permission set, and two people."""

    def __init__(self, world, sso):
        self.world, self.sso = world, sso
        instance = sso.list_instances()["Instances"][0]
        self.instance, self.store = instance["InstanceArn"], instance["IdentityStoreId"]
        self.people = world.client("identitystore", world.admin)
        made = sso.create_permission_set(
            Name="Admin", InstanceArn=self.instance, SessionDuration="PT2H30M"
        )
        self.arn = made["PermissionSet"]["PermissionSetArn"]
        self.named = {"InstanceArn": self.instance, "PermissionSetArn": self.arn}
        self.ann, self.ben = (
            self.people.create_user(
                IdentityStoreId=self.store, UserName=name, DisplayName=name, Name=NAME
            )["UserId"]
            for name in ("ann", "ben")
        )

    def assignment(self, who, kind="USER"):
        target = {"TargetId": self.world.account, "TargetType": "AWS_ACCOUNT"}
        return {**self.named, **target, "PrincipalType": kind, "PrincipalId": who}

    def assign(self, who, kind="USER"):
        self.sso.create_account_assignment(**self.assignment(who, kind))
        self.world.tick(5)

    def write(self, *statements):
        text = document(*statements)
        self.sso.put_inline_policy_to_permission_set(**self.named, InlinePolicy=text)

    def provision(self):
        self.sso.provision_permission_set(**self.named, TargetType="ALL_PROVISIONED_ACCOUNTS")
        self.world.tick(5)

    def enter(self, who) -> Credentials:
        return self.world.sign_in(who, self.arn)


@pytest.fixture
def center(world, sso):
    made = Center(world, sso)
    made.write(EVERYTHING)
    return made


def lists(world, keys):
    return world.client("sqs", keys).list_queues


def test_only_who_is_assigned_comes_in_directly_or_by_a_group(world, center):
    center.assign(center.ann)
    with pytest.raises(UnknownThingError, match="not assigned"):
        center.enter(center.ben)
    group = center.people.create_group(IdentityStoreId=center.store, DisplayName="staff")["GroupId"]
    center.people.create_group_membership(
        IdentityStoreId=center.store, GroupId=group, MemberId={"UserId": center.ben}
    )
    center.assign(group, "GROUP")
    for who in (center.ann, center.ben):
        keys = center.enter(who)
        arn = world.client("sts", keys).get_caller_identity()["Arn"]
        assert "assumed-role/AWSReservedSSO_Admin_" in arn
        assert (keys.expires_at - world.now()).total_seconds() == pytest.approx(9000, abs=60)
        lists(world, keys)()


def test_the_role_is_nobodys_to_change_in_iam(world, iam, center, refused):
    center.assign(center.ann)
    [role] = [r for r in iam.list_roles()["Roles"] if r["RoleName"].startswith("AWSReserved")]
    assert role["Path"].startswith("/aws-reserved/sso.amazonaws.com/")
    deny = {**EVERYTHING, "Effect": "Deny"}
    put = {"RoleName": role["RoleName"], "PolicyName": "no", "PolicyDocument": document(deny)}
    assert refused(iam.put_role_policy, **put) == "UnmodifiableEntity"


def test_a_denial_in_the_permission_set_binds_one_person_once_it_is_provisioned(
    world, center, refused
):
    for who in (center.ann, center.ben):
        center.assign(who)
    hers, his = center.enter(center.ann), center.enter(center.ben)
    only = {"StringEquals": {"identitystore:userId": center.ann}}
    center.write(EVERYTHING, {**EVERYTHING, "Effect": "Deny", "Condition": only})
    lists(world, hers)()
    center.provision()
    assert refused(lists(world, hers)).startswith("AccessDenied")
    lists(world, his)()


def test_managed_policies_of_the_permission_set_bind_its_sessions(world, sso, center, refused):
    center.write({**EVERYTHING, "Action": "ec2:*"})
    center.assign(center.ann)
    keys = center.enter(center.ann)
    assert refused(lists(world, keys)).startswith("AccessDenied")
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    sso.attach_managed_policy_to_permission_set(**center.named, ManagedPolicyArn=admin)
    center.provision()
    lists(world, keys)()


def test_a_session_outlives_its_assignment(world, sso, center):
    center.assign(center.ann)
    keys = center.enter(center.ann)
    sso.delete_account_assignment(**center.assignment(center.ann))
    world.tick(5)
    lists(world, keys)()
    with pytest.raises(UnknownThingError):
        center.enter(center.ann)


def test_a_role_that_comes_with_time_is_not_in_the_digest(world, iam, center):
    iam.create_user(UserName="ann")
    center.sso.create_account_assignment(**center.assignment(center.ann))
    before = state(world.ground)["iam"]
    assert not iam.list_roles()["Roles"]
    world.tick(5)
    assert [r["RoleName"][:15] for r in iam.list_roles()["Roles"]] == ["AWSReservedSSO_"]
    assert state(world.ground)["iam"] == before


def test_an_accounts_delegated_administrator_manages_it_and_other_members_do_not(world, refused):
    management, helper = "999988887777", "222233334444"
    root = world.root_of(management)
    org = world.client("organizations", root)
    org.create_organization(FeatureSet="ALL")
    for member in (helper, world.account):
        world.join(member, management)
    theirs = world.client("sso-admin", root).list_instances()["Instances"]
    delegated = world.client("sso-admin", world.root_of(helper))
    assert refused(delegated.list_instances) == "AccessDeniedException"
    org.register_delegated_administrator(AccountId=helper, ServicePrincipal="sso.amazonaws.com")
    assert delegated.list_instances()["Instances"] == theirs
    assert refused(world.client("sso-admin", world.admin).list_instances) == "AccessDeniedException"
