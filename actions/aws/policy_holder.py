"""Who holds policies in IAM, a user, a role or a group, and the policies that hang there.

State keys hold the unique id (AIDA..., AROA..., AGPA...), which a name may outlive: nothing is
taken from, or given back to, one who was made again under the name (IAM User Guide, "IAM
identifiers", "Unique identifiers").
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.aws.iam_target import absent, gone_already, settling
from actions.aws.principal import GLOBAL
from actions.errors import TargetGoneError, UnfitError
from actions.journal import Json
from actions.permission import Permission

# IAM and AWS STS quotas: the sum of a holder's inline policies, white space not counted.
ROOM = {"user": 2_048, "role": 10_240, "group": 5_120}
# Only AWS changes these (IAM User Guide, "Service-linked roles"; IAM Identity Center User Guide,
# "Referencing permission sets in resource policies, ...").
NOT_OURS = ("/aws-service-role/", "/aws-reserved/")


@dataclass(frozen=True, slots=True)
class PolicyHolder:
    """A user, role or group, by account (12 digits) and name, without a path."""

    account: str
    kind: Literal["user", "role", "group"]
    name: str

    @property
    def key(self) -> str:
        """Return account/aws-global/kind/name, which names it in steps and incidents."""
        return f"{self.account}/{GLOBAL}/{self.kind}/{self.name}"

    @property
    def named(self) -> dict[str, str]:
        """Return the parameter by which IAM's calls name it."""
        return {f"{self.kind.capitalize()}Name": self.name}


def _permissions() -> Iterable[Permission]:
    for kind in ("user", "role", "group"):
        word, where = kind.capitalize(), f"arn:{{partition}}:iam::{{account}}:{kind}/*"
        yield Permission(f"iam:Get{word}", where)
        yield Permission(f"iam:ListAttached{word}Policies", where)
        yield Permission(f"iam:Attach{word}Policy", where)
        yield Permission(f"iam:Detach{word}Policy", where)
        yield Permission(f"iam:List{word}Policies", where)
        yield Permission(f"iam:Get{word}Policy", where)
        yield Permission(f"iam:Put{word}Policy", where)
        yield Permission(f"iam:Delete{word}Policy", where)


HOLDING = tuple(_permissions())


def id_of(p: Aws, who: PolicyHolder) -> str:
    """Return the unique id that the name stands for now. Raise TargetGoneError, UnfitError."""
    try:
        found: Any = getattr(p.iam, f"get_{who.kind}")(**who.named)[who.kind.capitalize()]
    except ClientError as error:
        if not absent(error):
            raise
        raise TargetGoneError(
            f"{who.kind} {who.name} does not exist (any more) in account {who.account}. Look at "
            "who deleted it (CloudTrail)."
        ) from error
    if found["Path"].startswith(NOT_OURS):
        raise UnfitError(
            f"role {who.name} is AWS's own ({found['Path']}), and IAM changes nothing of it. "
            "Change what it is made from: its service, or its permission set."
        )
    return str(found[f"{who.kind.capitalize()}Id"])


def read_policies(
    p: Aws, who: PolicyHolder, attached: Iterable[str], inline: Iterable[str]
) -> dict[str, Json]:
    """Return `attached/<id>/<ARN>` -> True or None, `inline/<id>/<name>` -> document or None."""
    unique_id = id_of(p, who)
    there, names = set(attached_to(p, who)), set(_inline(p, who))
    found: dict[str, Json] = {}
    for name in inline:
        document = _document(p, who, name) if name in names else None
        found[f"inline/{unique_id}/{name}"] = document
    for arn in attached:
        found[f"attached/{unique_id}/{arn}"] = True if arn in there else None
    return found


def write_policy(p: Aws, who: PolicyHolder, key: str, value: Json) -> None:
    """Let the holder have the policy that a key of `read_policies` names, or not have it.

    Raises TargetGoneError where the name stands for another one by now.
    """
    kind, unique_id, name = key.split("/", 2)
    if (now := id_of(p, who)) != unique_id:
        raise TargetGoneError(
            f"{who.kind} {who.name} was deleted and made again: it was {unique_id}, and is {now} "
            "now. The new one was not touched. Look at who made it (CloudTrail)."
        )
    if kind == "attached":
        _attach(p, who, name, there=bool(value))
    elif value is not None:
        put: Any = getattr(p.iam, f"put_{who.kind}_policy")
        put(**who.named, PolicyName=name, PolicyDocument=packed(value))
    elif name in _inline(p, who):
        with gone_already():
            getattr(p.iam, f"delete_{who.kind}_policy")(**who.named, PolicyName=name)


def attached_to(p: Aws, who: PolicyHolder) -> list[str]:
    """Return the ARNs of the managed policies on the holder."""
    pages: Any = _pages(p, f"list_attached_{who.kind}_policies", who)
    return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]


def room_left(p: Aws, who: PolicyHolder) -> int:
    """Return how many characters are left for the holder's inline policies."""
    held = sum(len("".join(packed(_document(p, who, n)).split())) for n in _inline(p, who))
    return ROOM[who.kind] - held


def packed(document: Json) -> str:
    """Return a policy document as text; IAM counts it without white space."""
    return json.dumps(document, ensure_ascii=False)


def _attach(p: Aws, who: PolicyHolder, arn: str, *, there: bool) -> None:
    if there:
        try:
            getattr(p.iam, f"attach_{who.kind}_policy")(**who.named, PolicyArn=arn)
        except ClientError as error:
            if not absent(error):
                raise
            # The holder is there: the policy does not show everywhere yet, or was deleted.
            raise settling(error) from error
    elif arn in attached_to(p, who):
        with gone_already():
            getattr(p.iam, f"detach_{who.kind}_policy")(**who.named, PolicyArn=arn)


def _inline(p: Aws, who: PolicyHolder) -> list[str]:
    pages: Any = _pages(p, f"list_{who.kind}_policies", who)
    return [name for page in pages for name in page["PolicyNames"]]


def _pages(p: Aws, call: str, who: PolicyHolder) -> Any:
    pages: Any = p.iam.get_paginator(call)  # type: ignore[call-overload]
    return pages.paginate(**who.named)


def _document(p: Aws, who: PolicyHolder, name: str) -> Any:
    found: Any = getattr(p.iam, f"get_{who.kind}_policy")(**who.named, PolicyName=name)
    return found["PolicyDocument"]
