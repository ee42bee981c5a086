"""From an access key to a principal and the policies that bear on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from playbooks.drills.range import sigv4
from playbooks.drills.range.corrections import key_use
from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.keys import Principal
from playbooks.drills.range.policy import Policies

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def authenticate(ground: Ground, asked: Asked) -> Principal:
    """Who signed the request, with key, token, signature and expiry all checked.

    Raises the AwsError that AWS gives for an unknown or inactive key, a wrong token, a wrong
    signature or expired credentials.
    """
    token = str(asked.environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""))
    issued = ground.issued.get(asked.access_key)
    if issued is not None:
        if issued.credentials.token != token:
            raise _unknown_key(asked)
        sigv4.check(asked, issued.credentials.secret_key)
        expires = issued.credentials.expires_at
        if expires is not None and ground.now() >= expires:
            raise AwsError(
                "ExpiredToken", "The security token included in the request is expired", 403
            )
        return issued.principal
    account, key = _user_key(ground, asked.access_key)
    # "Inactive" keys answer like unknown ones (IAM: Managing access keys).
    if key is None or key.status != "Active" or token:
        raise _unknown_key(asked)
    sigv4.check(asked, key.secret_access_key)
    if key.user_name not in ground.iam(account).users:
        raise _unknown_key(asked)
    key_use.note(ground, asked, key)
    return signer(ground, asked)


def signer(ground: Ground, asked: Asked) -> Principal:
    """Who signed a request that was authenticated before."""
    issued = ground.issued.get(asked.access_key)
    if issued is not None:
        return issued.principal
    account, key = _user_key(ground, asked.access_key)
    user = ground.iam(account).users[key.user_name]
    return Principal("user", account, user.arn, user.id, user.name)


def policies_of(ground: Ground, principal: Principal) -> Policies:
    """Every policy that bears on the principal now; IAM changes bind live sessions at once.

    Raises AwsError InvalidClientTokenId when the principal was deleted since.
    """
    scps = ground.kept.scps.get(principal.account, ())
    if principal.kind in ("root", "service"):
        return Policies(is_root=True, scps=scps)
    iam = ground.iam(principal.account)
    if principal.kind == "role":
        holder = next((r for r in iam.roles.values() if r.name == principal.name), None)
        if holder is None or not principal.user_id.startswith(f"{holder.id}:"):
            raise AwsError(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
                403,
            )
        documents = _documents(holder)
        boundary = holder.permissions_boundary_arn
    else:
        holder = iam.users[principal.name]
        documents = _documents(holder)
        for group in iam.get_groups_for_user(principal.name):
            documents += _documents(group)
        boundary = ground.kept.boundaries.get((principal.account, principal.name))
    return Policies(
        identity=documents,
        boundary=_managed(iam.managed_policies[boundary]) if boundary else None,
        session=principal.session_policy,
        scps=scps,
    )


def documents_of(ground: Ground, holder: Any) -> tuple[dict[str, Any], ...]:
    """Every identity policy of a user, with its groups', or of a role."""
    groups = getattr(holder, "group_list", ())
    known = ground.iam(holder.account_id).groups
    return (*_documents(holder), *(d for name in groups for d in _documents(known[name])))


def tags_of(ground: Ground, principal: Principal) -> dict[str, str]:
    """The principal's own IAM tags."""
    iam = ground.iam(principal.account)
    if principal.kind == "role":
        role = next((r for r in iam.roles.values() if r.name == principal.name), None)
        listed = role.tags if role else []
    elif principal.kind == "user" and principal.name in iam.users:
        listed = iam.users[principal.name].tags
    else:
        listed = []
    if isinstance(listed, dict):
        listed = list(listed.values())
    return {tag["Key"]: tag["Value"] for tag in listed or []}


def _user_key(ground: Ground, access_key: str) -> tuple[str, Any]:
    from moto.iam.models import iam_backends

    for account in list(iam_backends):
        key = iam_backends[account]["aws"].access_keys.get(access_key)
        if key is not None:
            return account, key
    return ground.account, None


def _unknown_key(asked: Asked) -> AwsError:
    if asked.service == "ec2":
        return AwsError(
            "AuthFailure", "AWS was not able to validate the provided access credentials", 401
        )
    if asked.service == "s3":
        return AwsError(
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            403,
        )
    return AwsError(
        "InvalidClientTokenId", "The security token included in the request is invalid.", 403
    )


def _documents(holder: Any) -> tuple[dict[str, Any], ...]:
    inline = (json.loads(text) for text in holder.policies.values())
    return (*inline, *(_managed(policy) for policy in holder.managed_policies.values()))


def _managed(policy: Any) -> dict[str, Any]:
    text = next(v.document for v in policy.versions if v.version_id == policy.default_version_id)
    document: dict[str, Any] = json.loads(text)
    return document
