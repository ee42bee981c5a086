"""The latch's document: a service control policy that denies everything to whom it names. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actions.errors import UnfitError

Document = dict[str, Any]

# AWS Organizations User Guide, "Quotas and service limits": a service control policy holds 5,120
# characters; by the API it is kept as it was sent, so white space counts.
ROOM = 5_120
SID = "StanchLatch"
KEY = "aws:PrincipalArn"
# Whom the list names when it would be empty, which a condition may not be. No account has this id,
# and no name in IAM a "!" (IAM User Guide, "IAM and AWS STS quotas", name requirements).
NOBODY = "arn:aws:iam::000000000000:role/!"
# About as long as an ARN is with a path; what the room in principals is counted with.
USUAL = 70


@dataclass(frozen=True, slots=True)
class Room:
    """What is left: `characters`, and about how many `principals` those are."""

    characters: int
    principals: int


def document(arns: Iterable[str]) -> Document:
    """Return the whole policy for these principals; a role's ARN stands for all its sessions.

    Compared letter by letter, as a path may hold the wildcards of the ARN operators; the value of
    `aws:PrincipalArn` is the role's ARN in each of its sessions (IAM User Guide, "AWS global
    condition context keys").
    """
    denial = {"Sid": SID, "Effect": "Deny", "Action": "*", "Resource": "*"}
    named = [_written(arn) for arn in sorted({*arns} - {NOBODY})] or [NOBODY]
    condition = {"Condition": {"StringEquals": {KEY: named}}}
    return {"Version": "2012-10-17", "Statement": [denial | condition]}


def latched(content: str) -> tuple[str, ...]:
    """Return whom a policy's text names, sorted. Raise UnfitError when it is no latch."""
    values = _values(_parsed(content))
    return tuple(sorted({_read(value) for value in values} - {NOBODY}))


def turned(content: str, arn: str, *, on: bool) -> str:
    """Return the policy's text with one principal in it, or without; all else stays as it is."""
    whole = _parsed(content)
    values, mine = _values(whole), _written(arn)
    kept = [value for value in values if value not in (mine, NOBODY)]
    values[:] = sorted({*kept, mine} if on else {*kept}) or [NOBODY]
    return packed(whole)


def room(content: str, limit: int = ROOM) -> Room:
    """Return what is left in a policy's text of at most `limit` characters."""
    left = max(limit - len(packed(_parsed(content))), 0)
    return Room(left, left // (USUAL + len('"",')))


def packed(whole: Mapping[str, Any]) -> str:
    """Return a document in its shortest spelling, as it is sent."""
    return json.dumps(whole, separators=(",", ":"))


def _parsed(content: str) -> Document:
    try:
        whole = json.loads(content)
    except ValueError as error:
        raise UnfitError(f"the latch's policy is not JSON ({error}). {_ADVICE}") from error
    if not isinstance(whole, dict):
        raise UnfitError(f"the latch's policy is no JSON object. {_ADVICE}")
    return whole


def _values(whole: Document) -> list[str]:
    """Return the list of principals inside the document, to be changed in place."""
    statements = whole.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, dict) and statement.get("Sid") == SID:
            found = statement.get("Condition", {}).get("StringEquals", {}).get(KEY)
            if statement.get("Effect") == "Deny" and isinstance(found, list):
                return found
    raise UnfitError(f"the policy has no statement {SID} with a list of {KEY}. {_ADVICE}")


_ADVICE = "Write what `stanch latch plan` prints, or correct [latch] in stanch.toml."


def _written(arn: str) -> str:
    # A path may hold "${", which begins a variable; "${$}" is the dollar itself (IAM User Guide,
    # "IAM policy elements: Variables and tags").
    return arn.replace("$", "${$}")


def _read(value: str) -> str:
    return value.replace("${$}", "$")
