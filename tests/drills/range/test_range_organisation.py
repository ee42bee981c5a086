"""What is made with the Organizations API binds member accounts (Organizations: SCPs)."""

import json

import pytest

from playbooks.drills.range.corrections.organizations import SCP_CHARACTERS, SCPS_ATTACHED
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World

MANAGEMENT, SECURITY = "999988887777", "222233334444"
SCP = "SERVICE_CONTROL_POLICY"


def document(*statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def deny(action, **condition):
    rest = {"Condition": condition} if condition else {}
    return document({"Effect": "Deny", "Action": action, "Resource": "*", **rest})


@pytest.fixture
def org(world):
    """The management account's client; home and a security account are members."""
    client = world.client("organizations", world.root_of(MANAGEMENT))
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    client.enable_policy_type(RootId=root, PolicyType=SCP)
    for member in (world.account, SECURITY):
        world.join(member, MANAGEMENT)
    return client


def made(org, content, name="p") -> str:
    policy = org.create_policy(Name=name, Description="-", Type=SCP, Content=content)
    return policy["Policy"]["PolicySummary"]["Id"]


def user(world, account, action="*") -> Credentials:
    iam = world.client("iam", world.root_of(account))
    iam.create_user(UserName="ann")
    text = document({"Effect": "Allow", "Action": action, "Resource": "*"})
    iam.put_user_policy(UserName="ann", PolicyName="says", PolicyDocument=text)
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def test_a_policy_binds_the_members_under_it_and_nobody_else(world, org, iam, refused):
    policy = made(org, deny("iam:*"))
    keys = {a: user(world, a) for a in (world.account, SECURITY, MANAGEMENT)}
    org.attach_policy(PolicyId=policy, TargetId=world.account)
    assert refused(world.client("iam", keys[world.account]).list_users) == "AccessDenied"
    assert refused(iam.list_users) == "AccessDenied"  # the account's root too
    for other in (SECURITY, MANAGEMENT):
        assert world.client("iam", keys[other]).list_users()["Users"]
    targets = org.list_targets_for_policy(PolicyId=policy)["Targets"]
    assert [t["TargetId"] for t in targets] == [world.account]
    org.update_policy(PolicyId=policy, Content=deny("s3:*"))
    assert world.client("iam", keys[world.account]).list_users()["Users"]
    org.update_policy(PolicyId=policy, Content=deny("iam:*"))
    org.detach_policy(PolicyId=policy, TargetId=world.account)
    assert iam.list_users()["Users"]
    org.attach_policy(PolicyId=policy, TargetId=org.list_roots()["Roots"][0]["Id"])
    assert refused(world.client("iam", keys[SECURITY]).list_users) == "AccessDenied"
    assert world.client("iam", keys[MANAGEMENT]).list_users()["Users"]


def test_every_level_must_allow_and_a_disabled_type_binds_nobody(world, org, refused):
    root = org.list_roots()["Roots"][0]["Id"]
    unit = org.create_organizational_unit(ParentId=root, Name="shop")["OrganizationalUnit"]["Id"]
    org.move_account(AccountId=world.account, SourceParentId=root, DestinationParentId=unit)
    assert org.list_parents(ChildId=world.account)["Parents"][0]["Id"] == unit
    hers = world.client("iam", user(world, world.account))
    only = made(org, document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))
    org.attach_policy(PolicyId=only, TargetId=unit)
    assert hers.list_users()["Users"]
    org.detach_policy(PolicyId="p-FullAWSAccess", TargetId=unit)
    assert refused(hers.list_users) == "AccessDenied"
    org.disable_policy_type(RootId=root, PolicyType=SCP)
    assert hers.list_users()["Users"]


def test_service_linked_roles_are_not_bound(world, org, iam, refused):
    trust = document(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": world.account}}
    )
    everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    linked = iam.create_role(
        RoleName="linked", Path="/aws-service-role/x/", AssumeRolePolicyDocument=trust
    )["Role"]["Arn"]
    plain = iam.create_role(RoleName="plain", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for name in ("linked", "plain"):
        role = next(r for r in world.ground.iam().roles.values() if r.name == name)
        role.policies["all"] = everything
    keys = user(world, world.account)
    sessions = {}
    for arn in (linked, plain):
        answer = world.client("sts", keys).assume_role(RoleArn=arn, RoleSessionName="job")
        found = answer["Credentials"]
        sessions[arn] = Credentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        )
    org.attach_policy(PolicyId=made(org, deny("iam:*")), TargetId=world.account)
    assert world.client("iam", sessions[linked]).list_users()["Users"]
    assert refused(world.client("iam", sessions[plain]).list_users) == "AccessDenied"


def test_a_policy_has_so_many_characters_and_a_target_so_many_policies(world, org, refused):
    frame = deny("iam:*", StringEquals={"aws:PrincipalArn": ""})
    exact = frame.replace('""', '"' + "x" * (SCP_CHARACTERS - len(frame)) + '"')
    assert len(exact) == SCP_CHARACTERS
    policy = made(org, exact, "full")
    too_much = refused(org.update_policy, PolicyId=policy, Content=exact.replace("x", "xx", 1))
    assert too_much == "ConstraintViolationException"
    for n in range(SCPS_ATTACHED - 1):  # FullAWSAccess is the first
        org.attach_policy(PolicyId=made(org, deny("s3:*"), f"p{n}"), TargetId=world.account)
    one_more = {"PolicyId": policy, "TargetId": world.account}
    assert refused(org.attach_policy, **one_more) == "ConstraintViolationException"
    assert refused(org.detach_policy, **one_more) == "PolicyNotAttachedException"
    again = {"PolicyId": "p-FullAWSAccess", "TargetId": SECURITY}
    assert refused(org.attach_policy, **again) == "DuplicatePolicyAttachmentException"
    assert refused(org.detach_policy, **again) == "ConstraintViolationException"
    assert refused(org.update_policy, PolicyId=policy, Content="no") == (
        "MalformedPolicyDocumentException"
    )


def test_a_type_that_is_not_enabled_cannot_be_attached(world, refused):
    org = world.client("organizations", world.admin)
    org.create_organization(FeatureSet="ALL")
    target = {"PolicyId": made(org, deny("s3:*")), "TargetId": world.account}
    assert refused(org.attach_policy, **target) == "PolicyTypeNotEnabledException"


def delegated(action) -> str:
    principal = {"AWS": f"arn:aws:iam::{SECURITY}:root"}
    return document({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"})


def test_a_delegated_account_may_write_policies_and_only_what_it_was_lent(world, org, refused):
    policy = made(org, deny("s3:*"))
    security = world.client("organizations", user(world, SECURITY, "organizations:*"))
    home = world.client("organizations", user(world, world.account, "organizations:*"))
    update = {"PolicyId": policy, "Content": deny("iam:*")}
    assert refused(security.update_policy, **update) == "AccessDeniedException"
    assert refused(security.list_policies, Filter=SCP) == "AccessDeniedException"
    assert refused(org.describe_resource_policy) == "ResourcePolicyNotFoundException"
    lent = ["organizations:UpdatePolicy", "organizations:DescribePolicy"]
    org.put_resource_policy(Content=delegated(lent))
    security.update_policy(**update)
    shown = security.describe_policy(PolicyId=policy)["Policy"]
    assert shown["Content"] == update["Content"]
    assert refused(security.delete_policy, PolicyId=policy) == "AccessDeniedException"
    assert refused(home.update_policy, **update) == "AccessDeniedException"
    assert home.describe_organization()["Organization"]["MasterAccountId"] == MANAGEMENT
    assert org.describe_resource_policy()["ResourcePolicy"]["Content"] == delegated(lent)
    org.delete_resource_policy()
    assert refused(security.update_policy, **update) == "AccessDeniedException"


def test_the_delegated_accounts_own_policies_must_allow_too(world, org, refused):
    policy = made(org, deny("s3:*"))
    org.put_resource_policy(Content=delegated("organizations:*"))
    weak = world.client("organizations", user(world, SECURITY, "s3:*"))
    update = {"PolicyId": policy, "Content": deny("iam:*")}
    assert refused(weak.update_policy, **update) == "AccessDeniedException"


def test_what_is_written_to_an_organisation_is_in_the_digest(world, org):
    before = world.digest()
    policy = made(org, deny("s3:*"))
    named = world.digest()
    org.attach_policy(PolicyId=policy, TargetId=world.account)
    attached = world.digest()
    org.detach_policy(PolicyId=policy, TargetId=world.account)
    assert world.digest() == named
    assert len({before, named, attached}) == 3
    org.list_policies(Filter=SCP)
    assert world.digest() == named


def test_policies_set_by_hand_still_bind():
    world = World(seed=3)
    iam = world.client("iam", world.admin)
    world.attach_scps(world.account, ({"Statement": [json.loads(deny("iam:*"))["Statement"][0]]},))
    with pytest.raises(Exception, match="AccessDenied"):
        iam.list_users()
