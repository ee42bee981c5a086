"""From what somebody may do to what they used of it: a narrower policy. Pure.

The narrower policy is made of the wide one's own statements, with fewer actions and the same
resources and conditions; denials stay. So it can allow nothing that was not allowed.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from playbooks.review.escalation import RUNS_AS
from playbooks.review.statements import fits, listed
from playbooks.review.used import Used

# What passes data through a service, which IAM does not track by action: kept in a service that was
# used at all (IAM User Guide, "IAM action last accessed information services and actions"; AWS
# CloudTrail User Guide, "Logging data events").
DATA: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("*Item*", "Query", "Scan", "PartiQL*", "GetRecords", "GetShardIterator"),
    "kinesis": ("GetRecords", "GetShardIterator", "PutRecord*", "SubscribeToShard"),
    "kms": ("Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "Sign", "Verify*", "*Mac"),
    "lambda": ("InvokeFunction*", "InvokeAsync"),
    "s3": ("*Object*", "ListBucket*", "ListMultipartUploadParts", "AbortMultipartUpload"),
    "secretsmanager": ("GetSecretValue", "BatchGetSecretValue"),
    "sns": ("Publish*",),
    "sqs": ("SendMessage*", "ReceiveMessage", "DeleteMessage*", "ChangeMessageVisibility*"),
    "ssm": ("GetParameter*",),
}
PASSES = "iam:PassRole"
# Calls to which a role is passed: passing one is no call of its own, and is not tracked.
TAKES_A_ROLE = frozenset(actions[0] for actions in RUNS_AS.values())


def least(documents: Iterable[Mapping[str, Any]], used: Used) -> dict[str, Any]:
    """Return one policy document that allows what these allowed and was used; denials as they are.

    A statement that names what it does not allow (NotAction) is kept whole where a service is
    used whose actions are not tracked: it cannot be narrowed without knowing them.
    """
    needed = set(used.actions)
    if needed & TAKES_A_ROLE:
        needed.add(PASSES)
    whole = {s for s in used.services if not any(a.startswith(f"{s}:") for a in used.actions)}
    kept: list[dict[str, Any]] = []
    for document in documents:
        for statement in listed(document.get("Statement", [])):
            narrow = _narrow(statement, needed, used.services, whole)
            if narrow and narrow not in kept:
                kept.append(narrow)
    return {"Version": "2012-10-17", "Statement": [_plain(s) for s in kept]}


def _narrow(
    statement: Mapping[str, Any], needed: set[str], services: frozenset[str], whole: set[str]
) -> dict[str, Any] | None:
    if statement.get("Effect") != "Allow":
        return dict(statement)
    if "NotAction" in statement:
        return _narrow_rest(statement, needed, services, whole)
    patterns = [str(p) for p in listed(statement.get("Action", []))]
    keep = {a for a in needed if any(fits(p, a, fold=True) for p in patterns)}
    for service in services:
        keep |= _within(patterns, service, whole=service in whole)
    return _with(statement, keep)


def _narrow_rest(
    statement: Mapping[str, Any], needed: set[str], services: frozenset[str], whole: set[str]
) -> dict[str, Any] | None:
    """Narrow a statement that allows all but some actions."""
    if whole or services & DATA.keys():
        return dict(statement)
    but = [str(p) for p in listed(statement["NotAction"])]
    rest = {k: v for k, v in statement.items() if k != "NotAction"}
    return _with(rest, {a for a in needed if not any(fits(p, a, fold=True) for p in but)})


def _within(patterns: list[str], service: str, *, whole: bool) -> set[str]:
    """Return what the patterns allow of a service that cannot be narrowed to calls."""
    wide = {"*", f"{service}:*"}
    mine = {p for p in patterns if p not in wide and _of(p, service)}
    data = {f"{service}:{name}" for name in DATA.get(service, ())}
    if whole:
        return mine | ({f"{service}:*"} if wide & {p.lower() for p in patterns} else set())
    if wide & {p.lower() for p in patterns}:
        return data
    # A pattern may hold some of the data's calls; one call alone is one of them, or is not.
    if not data:
        return set()
    return {p for p in mine if "*" in p or "?" in p or any(fits(d, p, fold=True) for d in data)}


def _of(pattern: str, service: str) -> bool:
    named = pattern.partition(":")[0]
    return fits(named, service, fold=True)


def _with(statement: Mapping[str, Any], actions: set[str]) -> dict[str, Any] | None:
    return {**statement, "Action": sorted(actions)} if actions else None


def _plain(statement: Mapping[str, Any]) -> dict[str, Any]:
    # Names of statements must be unique within a policy, and those of several are put together.
    return {k: v for k, v in json.loads(json.dumps(statement)).items() if k != "Sid"}
