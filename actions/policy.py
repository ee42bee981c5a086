"""The least-privilege IAM policy for any set of actions, printed from what they declare.

Pure: no client, no clock. Sources: IAM "JSON policy element reference" (statements), IAM and AWS
STS quotas (a managed policy holds 6,144 characters, white space not counted).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from actions.action import Action
from actions.permission import Permission

LIMIT = 6_144
Document = dict[str, Any]


def policies(
    actions: Iterable[type[Action[Any]]],
    *,
    account: str,
    region: str,
    partition: str = "aws",
    limit: int = LIMIT,
) -> list[Document]:
    """Return IAM policy documents that allow these actions in one account and region, no more.

    `account` is 12 digits. Statements that ask for the same resources under the same condition
    are one; the result does not depend on the order of `actions`. There is one document unless
    `limit` characters (without white space) do not hold it. Raises ValueError when one statement
    alone is longer than that.
    """
    known = {"account": account, "region": region, "partition": partition}
    groups: dict[tuple[str, str], set[str]] = {}
    for permission in {_key(p, known): p for kind in actions for p in kind.permissions}.values():
        resource, condition = _key(permission, known)[1:]
        groups.setdefault((resource, condition), set()).add(permission.action)
    merged: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (resource, condition), names in sorted(groups.items()):
        merged.setdefault((tuple(sorted(names)), condition), []).append(resource)
    statements = [
        _statement(names, resources, condition)
        for (names, condition), resources in sorted(merged.items())
    ]
    return packed(statements, limit)


def policy(
    actions: Iterable[type[Action[Any]]], *, account: str, region: str, partition: str = "aws"
) -> Document:
    """Return the whole as one document, whatever its size; see `policies` for the rest."""
    whole = policies(actions, account=account, region=region, partition=partition, limit=10**9)
    return whole[0] if whole else _document([])


def length(document: Document) -> int:
    """Return a document's characters as IAM counts them, in its shortest spelling."""
    return len(json.dumps(document, separators=(",", ":")))


def _key(permission: Permission, known: Mapping[str, str]) -> tuple[str, str, str]:
    resource, condition = permission.resource, json.dumps(permission.condition, sort_keys=True)
    for name, value in known.items():
        resource = resource.replace("{" + name + "}", value)
        condition = condition.replace("{" + name + "}", value)
    return permission.action, resource, condition


def _statement(names: Iterable[str], resources: list[str], condition: str) -> Document:
    body: Document = {
        "Effect": "Allow",
        "Action": list(names),
        "Resource": "*" if resources == ["*"] else sorted(resources),
    }
    return body | ({"Condition": json.loads(condition)} if condition != "{}" else {})


def _document(statements: list[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}


def packed(statements: list[Document], limit: int) -> list[Document]:
    """Return policy documents of these statements, each of at most `limit` characters.

    Raises ValueError when one statement alone is longer than that.
    """
    found: list[list[Document]] = []
    for statement in statements:
        if length(_document([statement])) > limit:
            raise ValueError(
                f"one statement alone is longer than {limit} characters: {statement['Action']}. "
                "Print the policy for fewer actions at a time."
            )
        if found and length(_document([*found[-1], statement])) <= limit:
            found[-1].append(statement)
        else:
            found.append([statement])
    return [_document(group) for group in found]
