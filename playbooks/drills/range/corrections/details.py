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
    account = Account(ground, asked.account)
    page = paged(asked, "things", [t for t in _every(account.iam) if t[0] in wanted])
    answer: dict[str, Any] = {name: [] for name in LISTS.values()}
    for kind, thing in page.pop("things"):
        answer[LISTS[kind]].append(_SHOWN[kind](account, thing))
    return {**answer, **page}


class Account:
    """One account's IAM, with what hangs together looked up once a page, not once a user."""

    def __init__(self, ground: Ground, account: str) -> None:
        self.iam: Any = ground.iam(account)
        self.boundaries = {
            user: arn for (of, user), arn in ground.kept.boundaries.items() if of == account
        }
        self.groups: dict[str, list[str]] = {}
        for group in self.iam.groups.values():
            for user in group.users:
                self.groups.setdefault(user.id, []).append(group.name)
        self.profiles: dict[str, list[Any]] = {}
        for profile in self.iam.instance_profiles.values():
            for role in profile.roles:
                self.profiles.setdefault(role.id, []).append(profile)


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


def _user(account: Account, user: Any) -> dict[str, Any]:
    return {
        **_holder(user, "User"),
        "GroupList": account.groups.get(user.id, []),
        **_boundary(account.boundaries.get(user.name)),
        "Tags": user.tags or [],
    }


def _group(_account: Account, group: Any) -> dict[str, Any]:
    return _holder(group, "Group")


def _role(account: Account, role: Any) -> dict[str, Any]:
    used = {"LastUsedDate": role.last_used, "Region": role.last_used_region}
    return {
        **_holder(role, "Role"),
        "AssumeRolePolicyDocument": quote(role.assume_role_policy_document),
        "InstanceProfileList": [_profile(p) for p in account.profiles.get(role.id, [])],
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


def _policy(account: Account, policy: Any) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": policy.attachment_count,
        "PermissionsBoundaryUsageCount": _bounded(account, policy.arn),
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


def _bounded(account: Account, arn: str) -> int:
    roles = [r for r in account.iam.roles.values() if r.permissions_boundary_arn == arn]
    return list(account.boundaries.values()).count(arn) + len(roles)


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
