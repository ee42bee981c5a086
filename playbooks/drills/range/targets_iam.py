"""The resource and context keys of each IAM request.

Service Authorization Reference: "Actions, resources, and condition keys for AWS Identity and Access
Management": which resource an action is decided on, and iam:PolicyARN, iam:PermissionsBoundary,
iam:AWSServiceName, iam:PassedToService, iam:ResourceTag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.patterns import Values
    from playbooks.drills.range.wire import Asked

ON_GROUP = {"AddUserToGroup", "RemoveUserFromGroup"}
ON_PROFILE = {"AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"}
# What a boundary can be a condition of; for Put and Create it is the one asked for.
BOUNDED = {
    *("AttachUserPolicy", "DetachUserPolicy", "PutUserPolicy", "DeleteUserPolicy"),
    *("AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy"),
    *("CreateUser", "PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"),
    *("CreateRole", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"),
}


def resource_of(ground: Ground, asked: Asked, account: str) -> str:
    """The ARN that an IAM request is decided on; `*` where it names nothing."""
    iam, params, operation = ground.iam(account), asked.params, asked.operation
    own = f"arn:aws:iam::{account}"
    if operation == "GetAccessKeyLastUsed":
        return _owner_of_key(iam, params["AccessKeyId"])
    kinds: list[tuple[str, Iterable[Any], str]] = [
        ("InstanceProfileName", iam.instance_profiles.values(), "instance-profile"),
        ("RoleName", iam.roles.values(), "role"),
        ("UserName", iam.users.values(), "user"),
        ("GroupName", iam.groups.values(), "group"),
    ]
    if operation in ON_GROUP:
        kinds.reverse()
    for parameter, holders, kind in kinds:
        if name := params.get(parameter):
            path = (params.get("Path") or "/") if operation.startswith("Create") else "/"
            known = (str(h.arn) for h in holders if h.name == name)
            return next(known, f"{own}:{kind}{path}{name}")
    if operation == "CreatePolicy":
        return f"{own}:policy{params.get('Path') or '/'}{params['PolicyName']}"
    if operation == "CreateVirtualMFADevice":
        return f"{own}:mfa{params.get('Path') or '/'}{params['VirtualMFADeviceName']}"
    if operation == "CreateOpenIDConnectProvider":
        return f"{own}:oidc-provider/{params['Url'].partition('://')[2]}"
    if operation == "CreateSAMLProvider":
        return f"{own}:saml-provider/{params['Name']}"
    if operation == "CreateServiceLinkedRole":
        return f"{own}:role/aws-service-role/{params['AWSServiceName']}/*"
    named = ("PolicyArn", "OpenIDConnectProviderArn", "SAMLProviderArn", "SerialNumber", "Arn")
    return next((str(params[n]) for n in named if params.get(n)), "*")


def context_for(ground: Ground, asked: Asked, account: str) -> dict[str, Values]:
    """The IAM condition keys of a request, lower case."""
    params, operation = asked.params, asked.operation
    context: dict[str, Values] = {}
    if operation.startswith(("Attach", "Detach")) and params.get("PolicyArn"):
        context["iam:policyarn"] = (str(params["PolicyArn"]),)
    boundary = params.get("PermissionsBoundary") or _boundary(ground, account, params)
    if operation in BOUNDED and boundary:
        context["iam:permissionsboundary"] = (boundary,)
    if params.get("AWSServiceName"):
        context["iam:awsservicename"] = (params["AWSServiceName"],)
    for tag in _tags(ground, asked, account):
        for prefix in ("aws", "iam"):
            context[f"{prefix}:resourcetag/{tag['Key']}".lower()] = (tag["Value"],)
    return context


def _boundary(ground: Ground, account: str, params: Mapping[str, Any]) -> str:
    if role := params.get("RoleName"):
        known = ground.iam(account).roles.values()
        return next((r.permissions_boundary_arn or "" for r in known if r.name == role), "")
    return ground.kept.boundaries.get((account, params.get("UserName", "")), "")


def _tags(ground: Ground, asked: Asked, account: str) -> list[dict[str, str]]:
    iam, params = ground.iam(account), asked.params
    tags: Any = []
    if name := params.get("RoleName"):
        tags = next((r.tags for r in iam.roles.values() if r.name == name), [])
    elif params.get("UserName") in iam.users:
        tags = iam.users[params["UserName"]].tags
    elif params.get("PolicyArn") in iam.managed_policies and "Policy" in asked.operation:
        attaching = asked.operation.startswith(("Attach", "Detach"))
        tags = [] if attaching else iam.managed_policies[params["PolicyArn"]].get_tags()
    return list(tags.values()) if isinstance(tags, dict) else list(tags or [])


def _owner_of_key(iam: Any, access_key: str) -> str:
    for user in iam.users.values():
        if any(key.access_key_id == access_key for key in user.access_keys):
            return str(user.arn)
    return "*"
