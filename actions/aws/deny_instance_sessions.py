"""Deny everything to the credentials that one host was given, wherever they are used."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.errors import NothingToDoError, TargetGoneError, UnfitError
from actions.journal import Json, State
from actions.permission import Permission

# IAM and AWS STS quotas: the sum of a role's inline policies, white space not counted.
ROOM = 10_240
# How the names of these policies begin, unless one was given.
OURS = "stanch-deny-sessions-"

# What the agent on the host calls, and nothing that an operator or an application does: no
# SendCommand, no StartSession, no parameter. Sources: AWS Systems Manager User Guide, "Reference:
# ec2messages, ssmmessages, and other API operations"; AWS managed policy reference,
# "AmazonSSMManagedInstanceCore", without ssm:GetParameter and ssm:GetParameters.
AGENT = (
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
    "ssm:DescribeAssociation",
    "ssm:DescribeDocument",
    "ssm:GetDeployablePatchSnapshotForInstance",
    "ssm:GetDocument",
    "ssm:GetManifest",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:PutComplianceItems",
    "ssm:PutConfigurePackageResult",
    "ssm:PutInventory",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)


@dataclass(frozen=True)
class DenyInstanceSessions(Lens[Aws]):
    """Put an inline policy on the host's role that denies the sessions of this host alone.

    State: `policy/<role>` is the policy document (a dict), or None. It holds for credentials
    issued before and after, on the host and off it, and names no time; other hosts with the same
    role carry another ec2:SourceInstanceARN and keep working (Amazon EC2 User Guide, "IAM roles
    for Amazon EC2"; IAM User Guide, "AWS global condition context keys"). A session that this one
    got by AssumeRole of another role does not carry the key and needs its own denial.
    `role` names the role when the profile does not (any more), `name` the policy when the
    default, one a host, is not wanted; `keep_ssm` leaves the calls in AGENT.
    """

    host: Instance
    name: str = ""
    keep_ssm: bool = False
    role: str = ""

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission("ec2:DescribeIamInstanceProfileAssociations"),
        Permission("iam:GetInstanceProfile", "arn:{partition}:iam::{account}:instance-profile/*"),
        Permission("iam:ListRolePolicies", "arn:{partition}:iam::{account}:role/*"),
        Permission("iam:GetRolePolicy", "arn:{partition}:iam::{account}:role/*"),
        Permission("iam:PutRolePolicy", "arn:{partition}:iam::{account}:role/*"),
        Permission("iam:DeleteRolePolicy", "arn:{partition}:iam::{account}:role/*"),
    )

    @property
    def target(self) -> str:
        return self.host.key

    @property
    def policy_name(self) -> str:
        """Return the inline policy's name, unique to the host unless `name` was given."""
        return self.name or f"{OURS}{self.host.instance_id}"

    @property
    def document(self) -> dict[str, Json]:
        """Return the policy document."""
        what: dict[str, Json] = {"NotAction": list(AGENT)} if self.keep_ssm else {"Action": "*"}
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "StanchDenySessionsOfOneInstance",
                    "Effect": "Deny",
                    **what,
                    "Resource": "*",
                    "Condition": {"ArnEquals": {"ec2:SourceInstanceARN": self.host.arn}},
                }
            ],
        }

    def cell(self, key: str) -> str:
        return f"{key}/{self.policy_name}"

    def recalled(self, keys: Iterable[str]) -> "DenyInstanceSessions":
        # The role outlives the host, and the host may have another one by now.
        roles = [key.removeprefix("policy/") for key in keys]
        return replace(self, role=roles[0]) if len(roles) == 1 else self

    def read(self, p: Aws) -> Mapping[str, Json]:
        return {f"policy/{role}": self._policy(p, role) for role in self._roles(p)}

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, self.document)

    def write(self, p: Aws, key: str, value: Json) -> None:
        role = key.removeprefix("policy/")
        if value is not None:
            p.iam.put_role_policy(
                RoleName=role, PolicyName=self.policy_name, PolicyDocument=_packed(value)
            )
        elif self.policy_name in _names(p, role):
            p.iam.delete_role_policy(RoleName=role, PolicyName=self.policy_name)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        if not before:
            raise NothingToDoError(
                f"{self.host.instance_id} has no instance profile now, so it gets no credentials. "
                "There is nothing to deny, unless it had one before: then name that role."
            )
        for key in before:
            must_fit(p, key.removeprefix("policy/"), self.policy_name, self.document)
        blast = f"every session of {self.host.instance_id} is denied, wherever it is used"
        others = [] if self.role else self._siblings(p)
        if others:
            blast += f"; {', '.join(others)} with the same profile keep working"
        return Foreseen(blast=(blast,))

    def _roles(self, p: Aws) -> list[str]:
        if self.role:
            return [self.role]
        profile = describe(p, self.host).get("IamInstanceProfile")
        if profile is None:
            return []
        # The ARN may hold a path, the name never does (IAM User Guide, "IAM identifiers").
        name = profile["Arn"].rpartition("/")[2]
        roles = p.iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
        return sorted(r["RoleName"] for r in roles)

    def _policy(self, p: Aws, role: str) -> Json:
        if self.policy_name not in _names(p, role):
            return None
        return _document(p, role, self.policy_name)

    def _siblings(self, p: Aws) -> list[str]:
        profile = describe(p, self.host)["IamInstanceProfile"]["Arn"]
        pages = p.ec2.get_paginator("describe_iam_instance_profile_associations").paginate(
            Filters=[{"Name": "state", "Values": ["associated"]}]
        )
        held = (a for page in pages for a in page["IamInstanceProfileAssociations"])
        found = {a["InstanceId"] for a in held if a["IamInstanceProfile"]["Arn"] == profile}
        return sorted(found - {self.host.instance_id})


INSTEAD = "use replace_instance_profile and let the sessions run out"


def must_fit(p: Aws, role: str, policy: str, document: Json, instead: str = INSTEAD) -> None:
    """Raise UnfitError unless the role has room for the document as its inline policy `policy`."""
    need = _size(document)
    # Other hosts' denials are as long as this host's: not to be read, as the denial waits for it.
    alike = OURS if policy.startswith(OURS) else policy
    held = sum(
        need if name.startswith(alike) else _size(_document(p, role, name))
        for name in _names(p, role)
        if name != policy
    )
    if held + need > ROOM:
        raise UnfitError(
            f"role {role} has {max(ROOM - held, 0)} of {ROOM} characters left for inline "
            f"policies, and the denial needs {need}. Take an inline policy off the role (keep "
            f"a copy), put the same denial into a managed policy by hand, or {instead}."
        )


def _names(p: Aws, role: str) -> list[str]:
    try:
        pages = p.iam.get_paginator("list_role_policies").paginate(RoleName=role)
        return [name for page in pages for name in page["PolicyNames"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        raise TargetGoneError(
            f"role {role} does not exist (any more), so nothing can be denied through it. Look at "
            "who deleted it (CloudTrail)."
        ) from error


def _document(p: Aws, role: str, name: str) -> Json:
    return p.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]


def _packed(document: Json) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _size(document: Json) -> int:
    return len("".join(_packed(document).split()))
