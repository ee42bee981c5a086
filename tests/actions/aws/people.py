"""Users and roles for the tests of actions on principals, and what their credentials still get."""

import json
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.principal import Principal
from playbooks.drills.range.keys import Credentials

ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
NO = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


def user(world: Any, name: str = "alice", **more: Any) -> Principal:
    """A user who may do everything; `more` goes into CreateUser."""
    iam = world.client("iam", world.admin)
    iam.create_user(UserName=name, **more)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(ALL))
    return Principal(world.account, "user", name)


def key_of(world: Any, who: Principal) -> Credentials:
    """A new access key of the user."""
    made = world.client("iam", world.admin).create_access_key(UserName=who.name)["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


def role(world: Any, name: str = "deploy", **more: Any) -> Principal:
    """A role that anybody in the account may assume and that may do everything."""
    iam = world.client("iam", world.admin)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{world.account}:root"},
        "Action": "sts:AssumeRole",
    }
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), **more)
    if not more.get("Path", "").startswith("/aws-"):  # only AWS changes those
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(ALL))
    return Principal(world.account, "role", name)


def session_of(world: Any, who: Principal, by: Credentials | None = None) -> Credentials:
    """A session of the role, assumed by these credentials (a new user's unless given)."""
    if by is None:
        by = key_of(world, user(world, f"by-{len(world.calls)}"))
    arn = world.client("iam", world.admin).get_role(RoleName=who.name)["Role"]["Arn"]
    given = world.client("sts", by).assume_role(RoleArn=arn, RoleSessionName="work")["Credentials"]
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def works(world: Any, keys: Credentials) -> bool:
    """Whether these credentials still get anything of EC2."""
    try:
        world.client("ec2", keys).describe_vpcs()
    except ClientError as error:
        if error.response["Error"]["Code"] not in NO | {"AuthFailure"}:
            raise
        return False
    return True


def made_again(world: Any, who: Principal) -> str:
    """Delete the user or role and make another of that name; return the new unique id."""
    iam = world.client("iam", world.admin)
    kind, named = who.kind, {f"{who.kind.capitalize()}Name": who.name}
    call = {
        op: getattr(iam, op.replace("KIND", kind))
        for op in (
            "list_KIND_policies",
            "delete_KIND_policy",
            "list_attached_KIND_policies",
            "detach_KIND_policy",
            "delete_KIND",
        )
    }
    for name in call["list_KIND_policies"](**named)["PolicyNames"]:
        call["delete_KIND_policy"](**named, PolicyName=name)
    for policy in call["list_attached_KIND_policies"](**named)["AttachedPolicies"]:
        call["detach_KIND_policy"](**named, PolicyArn=policy["PolicyArn"])
    if kind == "user":
        for made in iam.list_access_keys(**named)["AccessKeyMetadata"]:
            iam.delete_access_key(**named, AccessKeyId=made["AccessKeyId"])
        for group in iam.list_groups_for_user(**named)["Groups"]:
            iam.remove_user_from_group(**named, GroupName=group["GroupName"])
    call["delete_KIND"](**named)
    (user if kind == "user" else role)(world, who.name)
    told = getattr(iam, f"get_{kind}")(**named)[kind.capitalize()]
    return str(told[f"{kind.capitalize()}Id"])
