"""The scenario's access: the hosts' role, a bucket it reads, and the responder's way in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.keys import Credentials

if TYPE_CHECKING:
    from playbooks.drills.range.world import World

BUCKET = "shop-orders"
OBJECT_KEY = "2026/orders.csv"


@dataclass(frozen=True, slots=True)
class EstateAccess:
    """Names, ARNs and keys of what `make_access` made."""

    role: str
    profile: str
    profile_arn: str
    bucket: str
    object_key: str
    responder: Credentials = field(repr=False)
    responder_role: str
    external_id: str


def make_access(world: World, responder_account: str) -> EstateAccess:
    """The hosts' role and profile here, the responder's user in its own account."""
    iam: Any = world.client("iam", world.admin)
    s3: Any = world.client("s3", world.admin)
    where = (
        {}
        if world.region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": world.region}}
    )
    s3.create_bucket(Bucket=BUCKET, **where)
    s3.put_object(Bucket=BUCKET, Key=OBJECT_KEY, Body=b"id,total\n1,10.00\n")
    iam.create_role(
        RoleName="web-host",
        AssumeRolePolicyDocument=_document(
            Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"}
        ),
    )
    iam.put_role_policy(
        RoleName="web-host",
        PolicyName="web-host",
        PolicyDocument=_document(
            Action=[
                "s3:ListAllMyBuckets",
                "s3:ListBucket",
                "s3:GetObject",
                "ec2:Describe*",
                "iam:ListRoles",
                "ssm:UpdateInstanceInformation",
            ],
            Resource="*",
        ),
    )
    profile = iam.create_instance_profile(InstanceProfileName="web-host")["InstanceProfile"]
    iam.add_role_to_instance_profile(InstanceProfileName="web-host", RoleName="web-host")
    responder, responder_role, external_id = _responder(world, iam, responder_account)
    return EstateAccess(
        role="web-host",
        profile="web-host",
        profile_arn=profile["Arn"],
        bucket=BUCKET,
        object_key=OBJECT_KEY,
        responder=responder,
        responder_role=responder_role,
        external_id=external_id,
    )


def _responder(world: World, iam: Any, account: str) -> tuple[Credentials, str, str]:
    external_id = f"{world.ground.rng.getrandbits(64):016x}"
    home: Any = world.client("iam", world.root_of(account))
    user = home.create_user(UserName="responder")["User"]
    role = iam.create_role(
        RoleName="incident-responder",
        AssumeRolePolicyDocument=_document(
            Action="sts:AssumeRole",
            Principal={"AWS": user["Arn"]},
            Condition={"StringEquals": {"sts:ExternalId": external_id}},
        ),
    )["Role"]["Arn"]
    iam.put_role_policy(
        RoleName="incident-responder",
        PolicyName="respond",
        PolicyDocument=_document(
            Action=[
                "ec2:*",
                "autoscaling:*",
                "elasticloadbalancing:*",
                "iam:*",
                "cloudtrail:LookupEvents",
                "kms:*",
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
            ],
            Resource="*",
        ),
    )
    home.put_user_policy(
        UserName="responder",
        PolicyName="assume",
        PolicyDocument=_document(Action="sts:AssumeRole", Resource=role),
    )
    made = home.create_access_key(UserName="responder")["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"]), role, external_id


def _document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
