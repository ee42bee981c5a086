"""A customer managed policy of Stanch's own, read and written as one document."""

import json
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.aws.iam_target import absent, settling
from actions.journal import Json
from actions.permission import Permission

# How the names of Stanch's managed deny policies begin; the organisation's latch protects these.
OURS = "stanch-deny-"
# IAM and AWS STS quotas: versions of a managed policy that can be stored.
VERSIONS = 5

_MINE = "arn:{partition}:iam::{account}:policy/stanch-*"
POLICY_PERMISSIONS = (
    Permission("iam:GetPolicy", _MINE),
    Permission("iam:GetPolicyVersion", _MINE),
    Permission("iam:CreatePolicy", _MINE),
    Permission("iam:CreatePolicyVersion", _MINE),
    Permission("iam:ListPolicyVersions", _MINE),
    Permission("iam:DeletePolicyVersion", _MINE),
    Permission("iam:DeletePolicy", _MINE),
)


def arn_of(p: Aws, name: str) -> str:
    """Return the ARN of the policy of this name, which has no path."""
    return f"arn:{p.partition}:iam::{p.account}:policy/{name}"


def document_of(p: Aws, name: str) -> Json:
    """Return the document that is in force (a dict), or None when there is no such policy."""
    arn = arn_of(p, name)
    try:
        version = p.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return p.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"][
            "Document"
        ]
    except ClientError as error:
        if not absent(error):
            raise
        return None


def write_document(p: Aws, name: str, document: Json) -> None:
    """Let the policy hold the document, or be none. It must be attached to nothing to go."""
    arn, now = arn_of(p, name), document_of(p, name)
    try:
        if document is None:
            if now is not None:
                _delete(p, arn)
        elif now is None:
            p.iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))
        elif now != document:
            _make_room(p, arn)
            p.iam.create_policy_version(
                PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True
            )
    except ClientError as error:
        # What was read above was behind what IAM has: read again.
        if not absent(error) and error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
        raise settling(error) from error


def _delete(p: Aws, arn: str) -> None:
    # DeletePolicy takes a policy only without its other versions (IAM API Reference).
    for version in _versions(p, arn):
        if not version["IsDefaultVersion"]:
            p.iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    p.iam.delete_policy(PolicyArn=arn)


def _make_room(p: Aws, arn: str) -> None:
    spare = [v for v in _versions(p, arn) if not v["IsDefaultVersion"]]
    if len(spare) == VERSIONS - 1:
        oldest = min(spare, key=lambda v: (v["CreateDate"], int(v["VersionId"].removeprefix("v"))))
        p.iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])


def _versions(p: Aws, arn: str) -> list[Any]:
    pages = p.iam.get_paginator("list_policy_versions").paginate(PolicyArn=arn)
    return [version for page in pages for version in page["Versions"]]
