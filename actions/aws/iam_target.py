"""The user or role that an action is on: by name, and by the unique id that a name may outlive.

A name can be given anew after a deletion; the unique id cannot (IAM User Guide, "IAM identifiers",
"Unique identifiers"). State keys of what hangs on a principal hold the id, and each write looks
whom the name stands for, so nothing is put on, or given back to, somebody else.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.aws.principal import Kind, Principal
from actions.errors import ProviderError, TargetGoneError, UnfitError
from actions.permission import Permission

# What finding a principal needs.
LOOKING = (
    Permission("iam:GetUser", "arn:{partition}:iam::{account}:user/*"),
    Permission("iam:GetRole", "arn:{partition}:iam::{account}:role/*"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What GetUser or GetRole says: unique id (AIDA..., AROA...), ARN, path, boundary's ARN."""

    unique_id: str
    arn: str
    path: str
    boundary: str | None
    answer: dict[str, Any]


def find(p: Aws, who: Principal) -> Found:
    """Return the principal that the name stands for now. Raise TargetGoneError for none."""
    answer: Any
    with present(who):
        if who.kind == "user":
            answer = p.iam.get_user(UserName=who.name)
        else:
            answer = p.iam.get_role(RoleName=who.name)
    told = answer[who.kind.capitalize()]
    return Found(
        told[f"{who.kind.capitalize()}Id"],
        told["Arn"],
        told["Path"],
        told.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        answer,
    )


@contextmanager
def present(who: Principal) -> Iterator[None]:
    """Raise TargetGoneError where a call about the principal says that there is none."""
    try:
        yield
    except ClientError as error:
        if not absent(error):
            raise
        raise TargetGoneError(
            f"{who.kind} {who.name} does not exist (any more) in account {who.account}. Look at "
            "who deleted it (CloudTrail)."
        ) from error


def must_be(p: Aws, who: Principal, unique_id: str) -> Found:
    """Return the principal; raise TargetGoneError unless the name still stands for this id."""
    found = find(p, who)
    if found.unique_id != unique_id:
        raise TargetGoneError(
            f"{who.kind} {who.name} was deleted and made again: it was {unique_id}, and is "
            f"{found.unique_id} now. The new one was not touched. Look at who made it (CloudTrail)."
        )
    return found


def still(p: Aws, who: Principal, unique_id: str) -> bool:
    """Return whether the name still stands for this id: what hung on another went with it."""
    try:
        return find(p, who).unique_id == unique_id
    except TargetGoneError:
        return False


def must_take_changes(who: Principal, found: Found) -> None:
    """Raise UnfitError for a role that only AWS, or only Identity Center, may change.

    Sources: IAM User Guide, "Service-linked roles"; IAM Identity Center User Guide, "Referencing
    permission sets in resource policies, ..." (roles under /aws-reserved/sso.amazonaws.com/).
    """
    if found.path.startswith("/aws-service-role/"):
        raise UnfitError(
            f"role {who.name} is service-linked: only its service assumes it, and IAM changes "
            "nothing of it. Stop what that service does for the attacker, in the service."
        )
    if found.path.startswith("/aws-reserved/sso.amazonaws.com/"):
        raise UnfitError(
            f"role {who.name} belongs to a permission set of Identity Center and cannot be "
            "changed in IAM. Use deny_in_permission_set and remove_account_assignments for the "
            "person, or a service control policy."
        )


def must_be_a(kind: Kind, who: Principal) -> None:
    """Raise UnfitError for the other kind: a user and a role may have one name."""
    if who.kind != kind:
        raise UnfitError(
            f"{who.kind} {who.name} is no {kind}, and only a {kind} has what this acts on. Name "
            f"the {kind}."
        )


def tail_of(keys: Iterable[str], head: str) -> str:
    """Return what follows `head` in the only key that begins with it, or ""."""
    tails = [key.removeprefix(head) for key in keys if key.startswith(head)]
    return tails[0] if len(tails) == 1 else ""


def absent(error: ClientError) -> bool:
    """Return whether the answer says that there is no such thing."""
    return bool(error.response["Error"]["Code"] == "NoSuchEntity")


@contextmanager
def gone_already() -> Iterator[None]:
    """Let a deletion pass whose object is gone: a read that was behind had it still."""
    try:
        yield
    except ClientError as error:
        if not absent(error):
            raise


def settling(error: ClientError) -> ProviderError:
    """Return the error as one that passes: IAM has not caught up with an earlier call yet.

    Source: IAM User Guide, "Changes that I make are not always immediately visible".
    """
    told = error.response["Error"]
    return ProviderError(error.operation_name, told["Code"], told["Message"], passing=True)
