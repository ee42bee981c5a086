"""The resources of requests to the services that identities and secrets live in.

Service Authorization Reference, for each service: "Resource types defined by" AWS Organizations,
IAM Identity Center, Lambda, EventBridge, IAM Roles Anywhere and Systems Manager.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.organizations.models import organizations_backends

if TYPE_CHECKING:
    from collections.abc import Callable

    from playbooks.drills.range.wire import Asked

    # (request, account) -> ARNs; none when the request names no resource.
    Finder = Callable[[Asked, str], list[str]]


def resources_of(asked: Asked, account: str) -> list[str]:
    """ARNs that a request is decided on, each of which must be allowed; empty for `*`."""
    find = _FINDERS.get(asked.service)
    return find(asked, account) if find else []


def organization_of(account: str) -> tuple[str, Any]:
    """The management account of an account's organisation and moto's backend of it.

    ("", None) when the account is in no organisation. Reads only: makes no backend.
    """
    for management, partitions in list(organizations_backends.items()):
        backend = partitions.get("aws")
        if backend is not None and backend.org is not None:
            members = {a.id for a in backend.accounts}
            if account == management or account in members:
                return management, backend
    return "", None


def _organizations(asked: Asked, account: str) -> list[str]:
    _, backend = organization_of(account)
    params = asked.params
    if backend is None:
        return []
    named = [params.get(n) for n in ("PolicyId", "TargetId", "AccountId", "RootId", "ParentId")]
    every = [*backend.policies, *backend.accounts, *backend.ou]
    arns = {thing.id: str(thing.arn) for thing in every}
    if asked.operation == "CreatePolicy":
        kind = str(params.get("Type", "")).lower()
        where = f"arn:aws:organizations::{backend.org.master_account_id}"
        return [f"{where}:policy/{backend.org.id}/{kind}/*"]
    return [arns[name] for name in named if name in arns]


def _sso(asked: Asked, _account: str) -> list[str]:
    params = asked.params
    arns = [params.get("InstanceArn"), params.get("PermissionSetArn")]
    target = params.get("TargetId") or params.get("AccountId")
    return [a for a in arns if a] + ([f"arn:aws:sso:::account/{target}"] if target else [])


def _lambda(asked: Asked, account: str) -> list[str]:
    name = asked.params.get("FunctionName")
    if not name:
        return []
    where = f"arn:aws:lambda:{asked.region}:{account}:function"
    return [name if str(name).startswith("arn:") else f"{where}:{name}"]


def _events(asked: Asked, account: str) -> list[str]:
    params = asked.params
    rule = params.get("Rule") or params.get("Name")
    bus = params.get("EventBusName") or "default"
    between = "" if bus == "default" else f"{bus}/"
    return [f"arn:aws:events:{asked.region}:{account}:rule/{between}{rule}"] if rule else []


def _anywhere(asked: Asked, account: str) -> list[str]:
    where = f"arn:aws:rolesanywhere:{asked.region}:{account}"
    for name, kind in (("trustAnchorId", "trust-anchor"), ("profileId", "profile")):
        if asked.params.get(name):
            return [f"{where}:{kind}/{asked.params[name]}"]
    return []


def _ssm(asked: Asked, account: str) -> list[str]:
    params = asked.params
    named = params.get("DocumentName") if asked.operation == "SendCommand" else params.get("Name")
    if asked.operation not in ("SendCommand", "GetDocument"):
        return []
    hosts = [
        f"arn:aws:ec2:{asked.region}:{account}:instance/{i}" for i in params.get("InstanceIds", [])
    ]
    return [f"arn:aws:ssm:{asked.region}:{account}:document/{named}", *hosts]


_FINDERS: dict[str, Finder] = {
    "organizations": _organizations,
    "sso": _sso,
    "lambda": _lambda,
    "events": _events,
    "rolesanywhere": _anywhere,
    "ssm": _ssm,
}
