"""All of an account's IAM in pages, with boundaries, groups, versions and unique ids.

IAM: GetAccountAuthorizationDetails: Filter (User, Role, Group, LocalManagedPolicy,
AWSManagedPolicy), MaxItems and Marker count over all lists together; policies are URL-encoded.
moto gives everything in one answer and no user's boundary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playbooks.drills.range.corrections.paging import paged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

LISTS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}


def details(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GetAccountAuthorizationDetails."""
    wanted = asked.params.get("Filter") or list(LISTS)
    iam = ground.iam(asked.account)
    page = paged(asked, "things", [t for t in _every(iam) if t[0] in wanted])
    answer: dict[str, Any] = {name: [] for name in LISTS.values()}
    for kind, thing in page.pop("things"):
        answer[LISTS[kind]].append(_SHOWN[kind](ground, iam, thing))
    return {**answer, **page}


def _every(iam: Any) -> Iterator[tuple[str, Any]]:
    yield from (("User", user) for user in iam.users.values())
    yield from (("Group", group) for group in iam.groups.values())
    yield from (("Role", role) for role in iam.roles.values())
    for arn, policy in iam.managed_policies.items():
        yield ("AWS" if arn.startswith("arn:aws:iam::aws:") else "Local") + "ManagedPolicy", policy


def _holder(holder: Any, kind: str) -> dict[str, Any]:
    return {
        "Path": holder.path,
        f"{kind}Name": holder.name,
        f"{kind}Id": holder.id,
        "Arn": holder.arn,
        "CreateDate": holder.create_date,
        f"{kind}PolicyList": _inline(holder.policies),
        "AttachedManagedPolicies": holder.attached_managed_policies,
    }


def _user(ground: Ground, iam: Any, user: Any) -> dict[str, Any]:
    return {
        **_holder(user, "User"),
        "GroupList": [g.name for g in iam.groups.values() if user in g.users],
        **_boundary(ground.kept.boundaries.get((iam.account_id, user.name))),
        "Tags": user.tags or [],
    }


def _group(_ground: Ground, _iam: Any, group: Any) -> dict[str, Any]:
    return _holder(group, "Group")


def _role(_ground: Ground, iam: Any, role: Any) -> dict[str, Any]:
    used = {"LastUsedDate": role.last_used, "Region": role.last_used_region}
    return {
        **_holder(role, "Role"),
        "AssumeRolePolicyDocument": quote(role.assume_role_policy_document),
        "InstanceProfileList": [
            _profile(profile)
            for profile in iam.instance_profiles.values()
            if any(r.id == role.id for r in profile.roles)
        ],
        **_boundary(role.permissions_boundary_arn),
        "Tags": role.tags or [],
        "RoleLastUsed": used if role.last_used else {},
    }


def _profile(profile: Any) -> dict[str, Any]:
    return {
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn,
        "Path": profile.path,
        "CreateDate": profile.create_date,
        "Roles": [],
    }


def _policy(ground: Ground, iam: Any, policy: Any) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": policy.attachment_count,
        "PermissionsBoundaryUsageCount": _bounded(ground, iam, policy.arn),
        "IsAttachable": True,
        "Description": policy.description,
        "CreateDate": policy.create_date,
        "UpdateDate": policy.update_date,
        "PolicyVersionList": [
            {
                "Document": quote(version.document),
                "VersionId": version.version_id,
                "IsDefaultVersion": version.version_id == policy.default_version_id,
                "CreateDate": version.create_date,
            }
            for version in policy.versions
        ],
    }


def _bounded(ground: Ground, iam: Any, arn: str) -> int:
    users = [a for (a, _), bound in ground.kept.boundaries.items() if bound == arn]
    roles = [r for r in iam.roles.values() if r.permissions_boundary_arn == arn]
    return users.count(iam.account_id) + len(roles)


def _inline(policies: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"PolicyName": n, "PolicyDocument": quote(text)} for n, text in policies.items()]


def _boundary(arn: str | None) -> dict[str, Any]:
    if not arn:
        return {}
    shown = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
    return {"PermissionsBoundary": shown}


_SHOWN = {
    "User": _user,
    "Group": _group,
    "Role": _role,
    "LocalManagedPolicy": _policy,
    "AWSManagedPolicy": _policy,
}
CORRECTIONS: Corrections = {("iam", "GetAccountAuthorizationDetails"): details}
