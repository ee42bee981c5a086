"""Requests are decided on the right resource and keys (Service Authorization Reference: IAM)."""

import json

import pytest

from playbooks.drills.range.keys import Credentials

QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def says(effect, action, resource="*", condition=None):
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return {**statement, **({"Condition": condition} if condition else {})}


def document(*statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def as_user(world, iam):
    """A client of the user ann, who may do what these statements say."""
    iam.create_user(UserName="ann")
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    keys = Credentials(made["AccessKeyId"], made["SecretAccessKey"])

    def client(*statements, service="iam"):
        iam.put_user_policy(UserName="ann", PolicyName="says", PolicyDocument=document(*statements))
        return world.client(service, keys)

    return client


def test_a_policy_can_be_kept_attached_by_its_arn(iam, as_user, refused):
    kept = iam.create_policy(PolicyName="kept", PolicyDocument=document(says("Deny", "s3:*")))
    arn = kept["Policy"]["Arn"]
    guard = {"ArnEquals": {"iam:PolicyARN": arn}}
    hers = as_user(says("Allow", "iam:*"), says("Deny", "iam:Detach*", condition=guard))
    for policy in (arn, QUARANTINE):
        iam.attach_user_policy(UserName="ann", PolicyArn=policy)
    assert refused(hers.detach_user_policy, UserName="ann", PolicyArn=arn) == "AccessDenied"
    iam.detach_user_policy(UserName="ann", PolicyArn=QUARANTINE)
    iam.attach_user_policy(UserName="ann", PolicyArn=ADMIN)
    hers.detach_user_policy(UserName="ann", PolicyArn=ADMIN)
    left = iam.list_attached_user_policies(UserName="ann")["AttachedPolicies"]
    assert [p["PolicyArn"] for p in left] == [arn]


def test_a_policys_versions_are_decided_on_the_policy(iam, as_user, refused):
    text = document(says("Allow", "s3:*"))
    arns = [
        iam.create_policy(PolicyName=n, PolicyDocument=text)["Policy"]["Arn"] for n in ("a", "b")
    ]
    hers = as_user(says("Allow", "iam:*"), says("Deny", "iam:*PolicyVersion", arns[0]))
    new = {"PolicyDocument": text, "SetAsDefault": True}
    assert refused(hers.create_policy_version, PolicyArn=arns[0], **new) == "AccessDenied"
    assert hers.create_policy_version(PolicyArn=arns[1], **new)["PolicyVersion"]


def test_membership_is_decided_on_the_group_and_a_boundary_on_its_key(iam, as_user, refused):
    iam.create_group(GroupName="admins")
    iam.create_group(GroupName="staff")
    group = "arn:aws:iam::111122223333:group/admins"
    bound = {"StringEquals": {"iam:PermissionsBoundary": ADMIN}}
    hers = as_user(
        says("Allow", "iam:*"),
        says("Deny", "iam:AddUserToGroup", group),
        says("Deny", ["iam:DeleteUserPermissionsBoundary", "iam:AttachUserPolicy"], "*", bound),
    )
    ann = {"UserName": "ann"}
    assert refused(hers.add_user_to_group, GroupName="admins", **ann) == "AccessDenied"
    hers.add_user_to_group(GroupName="staff", **ann)
    hers.attach_user_policy(PolicyArn=ADMIN, **ann)
    iam.put_user_permissions_boundary(PermissionsBoundary=ADMIN, **ann)
    assert refused(hers.delete_user_permissions_boundary, **ann) == "AccessDenied"
    assert refused(hers.attach_user_policy, PolicyArn=QUARANTINE, **ann) == "AccessDenied"


def test_tags_of_what_is_changed_can_be_a_condition(iam, as_user, refused):
    for name, team in (("mine", "a"), ("theirs", "b")):
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=document(),
            Tags=[{"Key": "team", "Value": team}],
        )
    own = {"StringEquals": {"iam:ResourceTag/team": "a"}}
    hers = as_user(says("Allow", "iam:PutRolePolicy", condition=own))
    policy = {"PolicyName": "p", "PolicyDocument": document(says("Allow", "s3:*"))}
    hers.put_role_policy(RoleName="mine", **policy)
    assert refused(hers.put_role_policy, RoleName="theirs", **policy) == "AccessDenied"


def test_a_role_is_passed_only_where_it_may_be(iam, as_user, refused):
    iam.create_role(RoleName="strong", AssumeRolePolicyDocument=document())
    iam.create_instance_profile(InstanceProfileName="box")
    hers = as_user(says("Allow", "iam:AddRoleToInstanceProfile"))
    both = {"InstanceProfileName": "box", "RoleName": "strong"}
    assert refused(hers.add_role_to_instance_profile, **both) == "AccessDenied"
    passed = says("Allow", "iam:PassRole", "arn:aws:iam::111122223333:role/strong")
    as_user(says("Allow", "iam:AddRoleToInstanceProfile"), passed)
    hers.add_role_to_instance_profile(**both)


def test_secrets_are_decided_one_by_one(world, as_user, refused):
    secrets = world.client("secretsmanager", world.admin)
    arns = {n: secrets.create_secret(Name=n, SecretString=n)["ARN"] for n in ("one", "two")}
    hers = as_user(says("Allow", "secretsmanager:*", arns["one"]), service="secretsmanager")
    assert hers.get_secret_value(SecretId="one")["SecretString"] == "one"
    assert hers.get_secret_value(SecretId=arns["one"])["SecretString"] == "one"
    assert refused(hers.get_secret_value, SecretId="two").startswith("AccessDenied")


def test_aws_own_policies_bind_and_cannot_be_changed(world, iam, as_user, refused):
    hers = as_user(says("Allow", "*"))
    iam.attach_user_policy(UserName="ann", PolicyArn=QUARANTINE)
    assert refused(hers.create_user, UserName="more") == "AccessDenied"
    assert hers.list_users()["Users"]
    iam.attach_user_policy(UserName="ann", PolicyArn=DENY_ALL)
    assert refused(hers.list_users) == "AccessDenied"
    assert refused(iam.delete_policy, PolicyArn=DENY_ALL) == "AccessDenied"
    assert iam.get_policy(PolicyArn=DENY_ALL)["Policy"]["AttachmentCount"] == 1
    assert [p["PolicyName"] for p in iam.list_policies(Scope="Local")["Policies"]] == []


RULE = {"ScheduleExpression": "rate(1 day)"}


def test_rules_functions_and_trust_anchors_are_decided_one_by_one(world, iam, as_user, refused):
    region, own = "eu-west-1", "111122223333"
    own_rule = f"arn:aws:events:{region}:{own}:rule/mine"
    rules = as_user(says("Allow", "events:*", own_rule), service="events")
    rules.put_rule(Name="mine", **RULE)
    assert refused(rules.put_rule, Name="theirs", **RULE) == "AccessDeniedException"
    before = world.digest()
    rules.disable_rule(Name="mine")
    assert world.digest() != before
    rules.enable_rule(Name="mine")
    assert world.digest() == before
    function = f"arn:aws:lambda:{region}:{own}:function:mine"
    code = as_user(says("Allow", "lambda:*", function), service="lambda")
    missing = "ResourceNotFoundException"
    for name in ("mine", function):
        assert refused(code.get_function, FunctionName=name) == missing
    assert refused(code.get_function, FunctionName="theirs") == "AccessDeniedException"
    anchors = world.client("rolesanywhere", world.admin)
    source = {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": "arn:aws:acm-pca:::x/y"}}
    ids = [
        anchors.create_trust_anchor(name=n, source=source, enabled=True)["trustAnchor"]
        for n in ("one", "two")
    ]
    hers = as_user(
        says("Allow", "rolesanywhere:*", ids[0]["trustAnchorArn"]), service="rolesanywhere"
    )
    hers.disable_trust_anchor(trustAnchorId=ids[0]["trustAnchorId"])
    other = {"trustAnchorId": ids[1]["trustAnchorId"]}
    assert refused(hers.disable_trust_anchor, **other) == "AccessDeniedException"


@pytest.mark.parametrize(
    ("call", "params", "arn"),
    [
        (
            "create_virtual_mfa_device",
            {"VirtualMFADeviceName": "phone"},
            "arn:aws:iam::111122223333:mfa/phone",
        ),
        (
            "create_open_id_connect_provider",
            {"Url": "https://ci.example.com", "ThumbprintList": ["a" * 40]},
            "arn:aws:iam::111122223333:oidc-provider/ci.example.com",
        ),
        (
            "create_saml_provider",
            {"Name": "idp", "SAMLMetadataDocument": "x" * 1000},
            "arn:aws:iam::111122223333:saml-provider/idp",
        ),
        (
            "create_service_linked_role",
            {"AWSServiceName": "autoscaling.amazonaws.com"},
            "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/*",
        ),
        (
            "create_user",
            {"UserName": "new", "Path": "/staff/"},
            "arn:aws:iam::111122223333:user/staff/new",
        ),
    ],
)
def test_what_is_made_is_decided_on_the_arn_that_it_will_have(
    iam, as_user, refused, call, params, arn
):
    hers = as_user(says("Allow", "iam:*", arn.replace("/staff", "/other") + "-other"))
    assert refused(getattr(hers, call), **params) == "AccessDenied"
    as_user(says("Allow", "iam:*", arn))
    getattr(hers, call)(**params)


def test_a_keys_last_use_is_decided_on_its_owner(iam, as_user, refused):
    iam.create_user(UserName="ben")
    his = iam.create_access_key(UserName="ben")["AccessKey"]["AccessKeyId"]
    asked = {"AccessKeyId": his}
    hers = as_user(says("Allow", "iam:*", "arn:aws:iam::111122223333:user/ann"))
    assert refused(hers.get_access_key_last_used, **asked) == "AccessDenied"
    as_user(says("Allow", "iam:*", "arn:aws:iam::111122223333:user/ben"))
    assert hers.get_access_key_last_used(**asked)["UserName"] == "ben"
