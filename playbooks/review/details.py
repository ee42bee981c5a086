"""Lists all users, roles and groups of an account with what they hold, page by page.

GetAccountAuthorizationDetails gives whole policies, so that one sweep is enough; policies and
groups come first and are kept, users and roles stream by (IAM API, GetAccountAuthorizationDetails).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from actions.aws.clients import Aws
from actions.aws.principal import GLOBAL
from playbooks.review.holding import Holding, Right, digest
from playbooks.review.statements import Statement, statements

PERMISSIONS = ("iam:GetAccountAuthorizationDetails", "iam:GetPolicy", "iam:GetPolicyVersion")
# Nobody but AWS changes these (IAM User Guide, "Create a service-linked role"; IAM Identity Center
# User Guide, "Permission sets"): the second follow from the assignments, which have own rows.
NOT_OURS = ("/aws-service-role/", "/aws-reserved/")
PAGE = 500


@dataclass(frozen=True, slots=True)
class Policy:
    """A managed policy in its default version; `name` tells versions of ours apart."""

    name: str
    document: Mapping[str, Any]
    grants: tuple[Statement, ...]


@dataclass
class Known:
    """What rights refer to: managed policies by ARN, groups by name."""

    policies: dict[str, Policy] = field(default_factory=dict)
    groups: dict[str, Holding] = field(default_factory=dict)

    def right(self, arn: str, boundary: tuple[Statement, ...] | None = None) -> Right:
        """Return what a managed policy grants; nothing for one that was not listed."""
        found = self.policies.get(arn, Policy(arn, {}, ()))
        return Right(f"policy/{arn}", found.grants, boundary, found.document)

    def version(self, arn: str) -> str:
        """Return what stands for the policy in a state: with its version where that is ours."""
        found = self.policies.get(arn)
        return found.name if found else arn


def learn(aws: Aws, around: Known, arn: str) -> Right:
    """Return what a managed policy grants, asking for it where the sweep did not tell of it.

    It tells of AWS's policies only as far as they are attached in this account.
    """
    if arn not in around.policies:
        version = aws.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        told: Any = aws.iam.get_policy_version(PolicyArn=arn, VersionId=version)
        document = told["PolicyVersion"]["Document"]
        around.policies[arn] = Policy(arn, document, statements(document))
    return around.right(arn)


def known(aws: Aws) -> Known:
    """Return the account's managed policies and groups."""
    found = Known()
    for one in _details(aws, "Policies", "LocalManagedPolicy", "AWSManagedPolicy"):
        version = one.get("DefaultVersionId", "")
        document: Any = next(
            (v["Document"] for v in one.get("PolicyVersionList", []) if v.get("IsDefaultVersion")),
            {},
        )
        # AWS changes its own policies at any time; a decision does not go stale by that.
        theirs = ":iam::aws:policy/" in one["Arn"]
        name = one["Arn"] if theirs else f"{one['Arn']}@{version}"
        found.policies[one["Arn"]] = Policy(name, document, statements(document))
    for one in _details(aws, "GroupDetailList", "Group"):
        found.groups[one["GroupName"]] = _holding(aws.account, "group", "Group", one, found)
    return found


def holdings(aws: Aws, around: Known) -> Iterator[Holding]:
    """Yield every user and role, as the pages come, but for what only AWS may change."""
    for one in _details(aws, "UserDetailList", "User"):
        yield _holding(aws.account, "user", "User", one, around)
    for one in _details(aws, "RoleDetailList", "Role"):
        if not one["Path"].startswith(NOT_OURS):
            yield _holding(aws.account, "role", "Role", one, around)


def _details(aws: Aws, name: str, *kinds: str) -> Iterator[dict[str, Any]]:
    sweep: Any = aws.iam.get_paginator("get_account_authorization_details")
    pages = sweep.paginate(Filter=list(kinds), PaginationConfig={"PageSize": PAGE})
    for page in pages:
        yield from page[name]


def _holding(account: str, kind: str, word: str, one: Mapping[str, Any], around: Known) -> Holding:
    bound = one.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    boundary = around.right(bound).grants if bound else None
    attached = sorted(p["PolicyArn"] for p in one.get("AttachedManagedPolicies", []))
    inline = {p["PolicyName"]: p["PolicyDocument"] for p in one.get(f"{word}PolicyList", [])}
    joined = sorted(one.get("GroupList", []))
    trust = one.get("AssumeRolePolicyDocument")
    rights = [around.right(arn, boundary) for arn in attached]
    rights += [
        Right(f"inline/{name}", statements(document), boundary, document)
        for name, document in sorted(inline.items())
    ]
    for name in joined:
        if group := around.groups.get(name):
            grants = group.granted.statements
            rights.append(Right(f"group/{name}", grants, boundary, digest=group.digest))
    state = {
        "id": one[f"{word}Id"],
        "attached": [around.version(arn) for arn in attached],
        "inline": inline,
        "groups": joined,
        "boundary": around.version(bound) if bound else None,
        "trust": trust,
    }
    name = one[f"{word}Name"]
    return Holding(
        key=f"{account}/{GLOBAL}/{kind}/{name}",
        kind=kind,
        name=name,
        arn=one["Arn"],
        created=one["CreateDate"],
        digest=digest(state),
        rights=tuple(rights),
        boundary=boundary,
        trust=trust,
        tags={t["Key"]: t["Value"] for t in one.get("Tags") or []},
        used=one.get("RoleLastUsed", {}).get("LastUsedDate"),
    )
