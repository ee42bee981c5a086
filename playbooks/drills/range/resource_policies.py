"""Policies that hang on a resource: a queue's own, which names who may do what with it.

IAM: Policy evaluation logic for requests within a single account, and Cross-account policy
evaluation logic: in one account the resource's policy or the caller's suffices; from another
account, both must allow; a service principal has none of its own. An organisation's resource policy
is one of these for its member accounts (organisation.py).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.sqs.models import sqs_backends

from playbooks.drills.range.conditions import listed
from playbooks.drills.range.organisation import delegation_of
from playbooks.drills.range.policy import Policies, Verdict, decide, effects

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.keys import Principal
    from playbooks.drills.range.policy import Request


def allowed(
    ground: Ground, request: Request, policies: Policies, principal: Principal, names: Set[str]
) -> Verdict:
    """The verdict over the caller's policies and the resource's. `names` are the caller's ARNs."""
    own = Verdict.IMPLICIT_DENY if principal.kind == "service" else decide(request, policies)
    delegation = delegation_of(ground, principal, request.action)
    policy = _policy(ground, request.resource) if delegation is None else delegation
    statements = [
        statement
        for statement in listed(policy.get("Statement", []))
        if _names(statement.get("Principal", {}), principal, names)
    ]
    said = effects(request, [{"Statement": statements}])
    if own is Verdict.EXPLICIT_DENY or "Deny" in said:
        return Verdict.EXPLICIT_DENY
    # AWS's own managed policies belong to "aws" and are everybody's.
    nobodys = _account(request.resource) in ("", "aws", principal.account)
    open_to_all = delegation is None and _service(request.resource) == "organizations"
    same = principal.kind == "service" or open_to_all or (nobodys and delegation is None)
    if own is Verdict.ALLOW and (same or "Allow" in said):
        return Verdict.ALLOW
    # The organisation's policies bind all the same; what the resource gives needs no other layer.
    lent = decide(request, Policies(is_root=True, scps=policies.scps))
    return lent if same and "Allow" in said else Verdict.IMPLICIT_DENY


def _names(named: Any, principal: Principal, names: Set[str]) -> bool:
    if named == "*":
        return True
    if principal.kind == "service":
        return principal.name in listed(named.get("Service", []))
    account = {principal.account, f"arn:aws:iam::{principal.account}:root", "*"}
    return bool((names | account) & set(map(str, listed(named.get("AWS", [])))))


def _service(arn: str) -> str:
    return arn.split(":")[2] if arn.count(":") >= 5 else ""


def _account(arn: str) -> str:
    return arn.split(":")[4] if arn.count(":") >= 5 else ""


def _policy(ground: Ground, arn: str) -> Mapping[str, Any]:
    if not arn.startswith("arn:aws:sqs:"):
        return {}
    _, _, _, region, account, name = arn.split(":", 5)
    queue = sqs_backends[account][region].queues.get(name)
    text = queue.policy if queue else None
    policy: dict[str, Any] = json.loads(text) if text else {}
    return policy
