"""Which of Stanch's managed policies hang on a user or role, and whether there is room for one."""

from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.aws.iam_target import absent, gone_already, must_be, settling, still
from actions.aws.principal import Principal
from actions.errors import UnfitError
from actions.permission import Permission

_USER = "arn:{partition}:iam::{account}:user/*"
_ROLE = "arn:{partition}:iam::{account}:role/*"
# Nothing but what is Stanch's own can be attached or detached with these.
_OURS = {"ArnLike": {"iam:PolicyARN": "arn:{partition}:iam::{account}:policy/stanch-*"}}
ATTACHING = (
    Permission("iam:GetAccountSummary"),
    Permission("iam:ListAttachedUserPolicies", _USER),
    Permission("iam:ListAttachedRolePolicies", _ROLE),
    Permission("iam:AttachUserPolicy", _USER, _OURS),
    Permission("iam:AttachRolePolicy", _ROLE, _OURS),
    Permission("iam:DetachUserPolicy", _USER, _OURS),
    Permission("iam:DetachRolePolicy", _ROLE, _OURS),
)


def attached(p: Aws, who: Principal) -> list[str]:
    """Return the ARNs of all managed policies on the principal, whoever attached them."""
    call: Any = (
        "list_attached_user_policies" if who.kind == "user" else "list_attached_role_policies"
    )
    pages = p.iam.get_paginator(call).paginate(**_named(who))
    return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]


def attach(p: Aws, who: Principal, unique_id: str, arn: str) -> None:
    """Attach the policy; raise TargetGoneError unless the name stands for this unique id."""
    must_be(p, who, unique_id)
    try:
        if who.kind == "user":
            p.iam.attach_user_policy(UserName=who.name, PolicyArn=arn)
        else:
            p.iam.attach_role_policy(RoleName=who.name, PolicyArn=arn)
    except ClientError as error:
        if not absent(error):
            raise
        # Principal and policy are there: one of the two does not show everywhere yet.
        raise settling(error) from error


def detach(p: Aws, who: Principal, unique_id: str, arn: str) -> None:
    """Take the policy off the principal of this unique id, where it is there and has it."""
    if not still(p, who, unique_id):
        return
    with gone_already():
        if who.kind == "user":
            p.iam.detach_user_policy(UserName=who.name, PolicyArn=arn)
        else:
            p.iam.detach_role_policy(RoleName=who.name, PolicyArn=arn)


def must_have_room(p: Aws, who: Principal, arn: str) -> None:
    """Raise UnfitError where one more managed policy is more than the account's quota allows.

    The quota is what GetAccountSummary says. AWS's own AWSCompromisedKeyQuarantine policies take a
    place like any other, and are to stay (AWS managed policy reference).
    """
    there = attached(p, who)
    summary: Any = p.iam.get_account_summary()["SummaryMap"]
    quota = summary[f"AttachedPoliciesPer{who.kind.capitalize()}Quota"]
    if arn not in there and len(there) >= quota:
        raise UnfitError(
            f"{who.kind} {who.name} has {len(there)} of {quota} managed policies, so the denial "
            "does not fit. Use set_permissions_boundary, which takes no such place, or detach a "
            "policy by hand (keep its ARN; not an AWSCompromisedKeyQuarantine one)."
        )


def _named(who: Principal) -> dict[str, str]:
    return {"UserName": who.name} if who.kind == "user" else {"RoleName": who.name}
