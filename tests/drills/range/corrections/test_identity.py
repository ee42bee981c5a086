"""IAM's quotas, boundaries and trust (IAM: quotas; Permissions boundaries; STS: AssumeRole)."""

import json

import pytest

from playbooks.drills.range.keys import Credentials


def document(**statement) -> str:
    whole = {"Effect": "Allow", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [whole]})


def sized(characters: int) -> str:
    """A policy of exactly so many characters that are not whitespace."""
    frame = document(Sid="", Action="s3:GetObject", Resource="*")
    return frame.replace(
        '"Sid": ""', '"Sid": "' + "x" * (characters - len("".join(frame.split()))) + '"'
    )


@pytest.mark.parametrize(("kind", "limit"), [("Role", 10_240), ("User", 2_048), ("Group", 5_120)])
def test_inline_policies_are_limited_together(iam, refused, kind, limit):
    name = {f"{kind}Name": "x"}
    extra = {"AssumeRolePolicyDocument": "{}"} if kind == "Role" else {}
    getattr(iam, f"create_{kind.lower()}")(**name, **extra)
    put = getattr(iam, f"put_{kind.lower()}_policy")
    put(**name, PolicyName="a", PolicyDocument=sized(limit - 300))
    put(**name, PolicyName="b", PolicyDocument=sized(300))
    code = refused(put, **name, PolicyName="c", PolicyDocument=sized(150))
    assert code == "LimitExceeded"
    listed = getattr(iam, f"list_{kind.lower()}_policies")(**name)["PolicyNames"]
    assert sorted(listed) == ["a", "b"]
    # Writing one again counts its new size only; white space counts for nothing.
    put(**name, PolicyName="b", PolicyDocument=sized(300).replace(",", ",\n   "))
    put(**name, PolicyName="a", PolicyDocument=sized(limit - 300))


@pytest.fixture
def ann(world, iam):
    iam.create_user(UserName="ann")
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


def test_a_users_boundary_binds_and_shows_and_goes(world, iam, refused, ann):
    iam.put_user_policy(
        UserName="ann", PolicyName="all", PolicyDocument=document(Action="*", Resource="*")
    )
    reads = iam.create_policy(
        PolicyName="reads", PolicyDocument=document(Action="ec2:Describe*", Resource="*")
    )["Policy"]["Arn"]
    her = world.client("iam", ann)
    assert her.list_users()["Users"]
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=reads)
    shown = iam.get_user(UserName="ann")["User"]["PermissionsBoundary"]
    assert shown["PermissionsBoundaryArn"] == reads
    assert refused(her.list_users) == "AccessDenied"
    assert world.client("ec2", ann).describe_vpcs()["Vpcs"]
    iam.delete_user_permissions_boundary(UserName="ann")
    assert her.list_users()["Users"]
    assert "PermissionsBoundary" not in iam.get_user(UserName="ann")["User"]
    assert refused(iam.delete_user_permissions_boundary, UserName="ann") == "NoSuchEntity"
    put = iam.put_user_permissions_boundary
    missing = reads.replace("reads", "none")
    assert refused(put, UserName="ann", PermissionsBoundary=missing) == "NoSuchEntity"
    assert refused(put, UserName="bob", PermissionsBoundary=reads) == "NoSuchEntity"


def test_a_service_control_policy_binds_even_root(world, ec2, refused):
    deny = {"Effect": "Deny", "Action": "ec2:Describe*", "Resource": "*"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    world.attach_scps(world.account, ({"Statement": [everything, deny]},))
    assert refused(ec2.describe_vpcs) == "UnauthorizedOperation"
    world.attach_scps(world.account)
    assert ec2.describe_vpcs()["Vpcs"]


ARN = "arn:aws:iam::111122223333:user/ann"
ACCOUNT = "arn:aws:iam::111122223333:root"
MAY_ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}


@pytest.mark.parametrize(
    ("trusted", "condition", "own", "comes_in"),
    [
        (ARN, {}, None, True),
        (ACCOUNT, {}, None, False),
        (ACCOUNT, {}, MAY_ASSUME, True),
        (ACCOUNT, {}, {**MAY_ASSUME, "Effect": "Deny"}, False),
        (ARN, {}, {**MAY_ASSUME, "Effect": "Deny"}, False),
        ("111122223333", {}, MAY_ASSUME, True),
        ("arn:aws:iam::111122223333:user/bob", {}, MAY_ASSUME, False),
        ("arn:aws:iam::999999999999:root", {}, MAY_ASSUME, False),
        ("*", {}, MAY_ASSUME, True),
        (ARN, {"StringEquals": {"sts:ExternalId": "right"}}, None, False),
        (ARN, {"StringEquals": {"sts:RoleSessionName": "session"}}, None, True),
    ],
)
def test_trust_and_permission_together_decide(
    world, iam, refused, ann, trusted, condition, own, comes_in
):
    role = iam.create_role(
        RoleName="r",
        AssumeRolePolicyDocument=document(
            Action="sts:AssumeRole", Principal={"AWS": trusted}, Condition=condition
        ),
    )["Role"]["Arn"]
    if own:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [own]})
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy)
    sts = world.client("sts", ann)
    how = {"RoleArn": role, "RoleSessionName": "session"}
    if comes_in:
        assert sts.assume_role(**how)["AssumedRoleUser"]["Arn"].endswith("assumed-role/r/session")
    else:
        assert refused(sts.assume_role, **how) == "AccessDenied"


def test_a_session_ends_with_its_role_and_is_narrowed_by_its_policy(world, iam, refused, ann):
    trust = document(Action="sts:AssumeRole", Principal={"AWS": ARN})
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(
        RoleName="r", PolicyName="p", PolicyDocument=document(Action="ec2:*", Resource="*")
    )

    def session(**how) -> Credentials:
        keys = world.client("sts", ann).assume_role(RoleArn=role, RoleSessionName="session", **how)
        keys = keys["Credentials"]
        return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    whole, narrow = session(), session(Policy=document(Action="ec2:DescribeVpcs", Resource="*"))
    assert world.client("ec2", whole).describe_subnets()["Subnets"]
    assert world.client("ec2", narrow).describe_vpcs()["Vpcs"]
    assert refused(world.client("ec2", narrow).describe_subnets) == "UnauthorizedOperation"
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    iam.delete_role(RoleName="r")
    assert refused(world.client("ec2", whole).describe_vpcs) == "InvalidClientTokenId"
    # A role of the same name is another role (IAM: unique identifiers).
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)
    assert refused(world.client("ec2", whole).describe_vpcs) == "InvalidClientTokenId"


def test_resources_tags_and_passed_roles_are_checked(world, iam, refused, ann, estate):
    def allow(*statements) -> None:
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", **s} for s in statements],
        }
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps(policy))

    ec2 = world.client("ec2", ann)
    where = f"arn:aws:ec2:{world.region}:{world.account}"
    stop = {"InstanceIds": [estate.sibling]}
    allow({"Action": "ec2:StopInstances", "Resource": f"{where}:instance/{estate.target}"})
    assert refused(ec2.stop_instances, **stop) == "UnauthorizedOperation"
    tagged = {"StringEquals": {"aws:ResourceTag/service": "shop"}}
    allow({"Action": "ec2:StopInstances", "Resource": "*", "Condition": tagged})
    assert ec2.stop_instances(**stop)["StoppingInstances"]
    make = {"GroupName": "g", "Description": "-", "VpcId": estate.vpc}
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "k", "Value": "v"}]}]
    allow({"Action": "ec2:CreateSecurityGroup", "Resource": "*"})
    code = refused(ec2.create_security_group, **make, TagSpecifications=tags)
    assert code == "UnauthorizedOperation"
    creating = {
        "StringEquals": {"ec2:CreateAction": "CreateSecurityGroup", "aws:RequestTag/k": "v"}
    }
    allow(
        {"Action": "ec2:CreateSecurityGroup", "Resource": "*"},
        {"Action": "ec2:CreateTags", "Resource": "*", "Condition": creating},
    )
    assert ec2.create_security_group(**make, TagSpecifications=tags)["GroupId"]
    run = {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1}
    profile = {"IamInstanceProfile": {"Name": estate.profile}}
    allow({"Action": "ec2:RunInstances", "Resource": "*"})
    assert refused(ec2.run_instances, **run, **profile) == "UnauthorizedOperation"
    role = f"arn:aws:iam::{world.account}:role/{estate.role}"
    passing = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    allow(
        {"Action": "ec2:RunInstances", "Resource": "*"},
        {"Action": "iam:PassRole", "Resource": role, "Condition": passing},
    )
    assert ec2.run_instances(**run, **profile)["Instances"]
