"""From an access key to a principal and the policies that bear on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range import sigv4
from playbooks.drills.range.corrections import key_use
from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.facts import Facts, Thing, facts_of, parsed
from playbooks.drills.range.keys import Principal
from playbooks.drills.range.organisation import scps_of
from playbooks.drills.range.policy import Policies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

# STS: GetSessionToken and GetFederationToken: what their credentials may not be used for at all.
CLOSED_TO_SESSIONS = {
    "user": {"AssumeRole", "GetCallerIdentity"},
    "federated": {"GetCallerIdentity"},
}


def authenticate(ground: Ground, asked: Asked) -> Principal:
    """Who signed the request, with key, token, signature and expiry all checked.

    Raises the AwsError that AWS gives for an unknown or inactive key, a wrong token, a wrong
    signature or expired credentials.
    """
    token = str(asked.environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""))
    issued = ground.issued.get(asked.access_key)
    if issued is not None:
        if issued.credentials.token != token:
            raise unknown_key(asked)
        sigv4.check(asked, issued.credentials.secret_key)
        expires = issued.credentials.expires_at
        if expires is not None and ground.now() >= expires:
            raise AwsError(
                "ExpiredToken", "The security token included in the request is expired", 403
            )
        _must_be_open(asked, issued.principal)
        return issued.principal
    account, key = _user_key(ground, asked.access_key)
    # "Inactive" keys answer like unknown ones (IAM: Managing access keys).
    if key.get(("status", "")) != "Active" or token:
        raise unknown_key(asked)
    sigv4.check(asked, key["secret", ""])
    user = facts_of(ground, Thing(account, "user", key["user", ""]))
    if not user:
        raise unknown_key(asked)
    living = ground.iam(account).access_keys.get(asked.access_key)
    if living is not None:
        key_use.note(ground, asked, living)
    return Principal("user", account, user["arn", ""], user["id", ""], key["user", ""])


def signer(ground: Ground, asked: Asked) -> Principal:
    """Who signed a request that was authenticated before."""
    issued = ground.issued.get(asked.access_key)
    if issued is not None:
        return issued.principal
    account, key = _user_key(ground, asked.access_key)
    user = facts_of(ground, Thing(account, "user", key["user", ""]))
    return Principal("user", account, user["arn", ""], user["id", ""], key["user", ""])


def policies_of(ground: Ground, principal: Principal) -> Policies:
    """Every policy that bears on the principal now; IAM changes bind live sessions too.

    IAM User Guide, "Disabling permissions for temporary security credentials": the permissions of a
    session are evaluated at each request, from the user or role that it comes from; it ends neither
    with the key that it was asked for with nor with another session.
    Raises AwsError InvalidClientTokenId when the principal was deleted since.
    """
    scps = scps_of(ground, principal)
    if principal.kind in ("root", "service"):
        return Policies(is_root=True, scps=scps)
    facts = holder_of(ground, principal)
    boundary = facts.get(("boundary", ""))
    session = principal.session_policy
    if principal.kind == "federated" and session is None:
        # STS: GetFederationToken: without a session policy the session has no permissions.
        session = {"Statement": []}
    return Policies(
        identity=documents_of(ground, principal.account, facts),
        boundary=_managed(ground, principal.account, boundary) if boundary else None,
        session=session,
        scps=scps,
    )


def holder_of(ground: Ground, principal: Principal) -> Facts:
    """The facts of the user or role that a principal is, or that its session comes from.

    Raises AwsError InvalidClientTokenId when it was deleted since.
    """
    holder_id = principal.user_id.partition(":")[0]
    if principal.kind == "role":
        facts = facts_of(ground, Thing(principal.account, "role", holder_id))
    else:
        facts = facts_of(ground, Thing(principal.account, "user", principal.comes_from))
        holder_id = principal.holder_id or holder_id
    if facts.get(("id", "")) != holder_id:
        raise AwsError(
            "InvalidClientTokenId", "The security token included in the request is invalid.", 403
        )
    return facts


def documents_of(ground: Ground, account: str, facts: Facts) -> tuple[Mapping[str, Any], ...]:
    """Every identity policy that the facts of a user, with its groups', or of a role name."""
    found: list[Mapping[str, Any]] = []
    for (kind, name), text in facts.items():
        if kind == "inline":
            found.append(parsed(text))
        elif kind == "attached":
            found.append(_managed(ground, account, name))
        elif kind == "group":
            found += documents_of(ground, account, facts_of(ground, Thing(account, "group", name)))
    return tuple(found)


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


def unknown_key(asked: Asked) -> AwsError:
    """The refusal of a key that is not known, as each service words it."""
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


def _user_key(ground: Ground, access_key: str) -> tuple[str, Facts]:
    from moto.iam.models import iam_backends

    for account in list(iam_backends):
        key = facts_of(ground, Thing(account, "key", access_key))
        if key:
            return account, key
    return ground.account, {}


def _must_be_open(asked: Asked, principal: Principal) -> None:
    """Raise what a service answers to a session of a user that may not be used there.

    STS: GetSessionToken, GetFederationToken: without MFA no IAM operation, and of STS only these.
    """
    if principal.issued_at is None or principal.kind not in CLOSED_TO_SESSIONS or principal.mfa:
        return
    if asked.service == "iam":
        raise unknown_key(asked)
    if asked.service == "sts" and asked.operation not in CLOSED_TO_SESSIONS[principal.kind]:
        raise AwsError(
            "AccessDenied", f"Cannot call {asked.operation} with session credentials", 403
        )


def _managed(ground: Ground, account: str, arn: str) -> Mapping[str, Any]:
    """A managed policy's default version; one that is not effective yet says nothing."""
    facts = facts_of(ground, Thing(account, "policy", arn))
    return parsed(facts["document", ""]) if facts else {"Statement": []}
