"""Service control policies have limits, and only some accounts may change them.

Organizations User Guide, "Quotas and service limits": 5,120 characters a service control policy,
five of them attached to a root, unit or account, at least one; API reference: AttachPolicy
(DuplicatePolicyAttachmentException, PolicyTypeNotEnabledException), DetachPolicy
(PolicyNotAttachedException), PutResourcePolicy, DescribeResourcePolicy; "Delegated administrator
for AWS Organizations": that policy and the caller's own must both allow. moto has no limit,
attaches what is not enabled, and has no resource policy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.organizations.models import organizations_backends

from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.facts import SCP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

SCP_CHARACTERS = 5_120
SCPS_ATTACHED = 5


def write(_ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """CreatePolicy, UpdatePolicy."""
    content = asked.params.get("Content")
    policy = _policy(asked) if asked.operation == "UpdatePolicy" else None
    if policy is not None and policy.aws_managed:
        raise AwsError("PolicyNotFoundException", "An AWS managed policy cannot be changed.")
    kind = policy.type if policy is not None else asked.params.get("Type")
    if content is not None and kind == SCP:
        _must_be_json(content)
        if len(content) > SCP_CHARACTERS:
            raise _violated("POLICY_CONTENT_LIMIT_EXCEEDED")
    return onward()


def attach(_ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """AttachPolicy."""
    policy, node = _policy(asked), _node(asked)
    if policy is None or node is None:
        return onward()
    if policy.type == SCP and not _enabled(asked):
        raise AwsError("PolicyTypeNotEnabledException", f"{SCP} is not enabled in this root.")
    held = [p for p in node.attached_policies if p.type == policy.type]
    if policy in held:
        raise AwsError(
            "DuplicatePolicyAttachmentException", "The policy is already attached to the target."
        )
    if policy.type == SCP and len(held) >= SCPS_ATTACHED:
        raise _violated("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
    return onward()


def detach(_ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """DetachPolicy."""
    policy, node = _policy(asked), _node(asked)
    if policy is None or node is None:
        return onward()
    held = [p for p in node.attached_policies if p.type == policy.type]
    if policy not in held:
        raise AwsError("PolicyNotAttachedException", "The policy isn't attached to the target.")
    if policy.type == SCP and len(held) == 1:
        raise _violated("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
    return onward()


def put_resource_policy(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """PutResourcePolicy: whom the management account lets manage policies."""
    _must_be_json(asked.params["Content"])
    ground.kept.delegation[asked.account] = asked.params["Content"]
    return {"ResourcePolicy": _shown(ground, asked)}


def describe_resource_policy(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """DescribeResourcePolicy."""
    return {"ResourcePolicy": _shown(ground, asked)}


def delete_resource_policy(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """DeleteResourcePolicy."""
    _shown(ground, asked)
    del ground.kept.delegation[asked.account]
    return {}


def _shown(ground: Ground, asked: Asked) -> dict[str, Any]:
    content = ground.kept.delegation.get(asked.account)
    if content is None:
        raise AwsError("ResourcePolicyNotFoundException", "There is no resource policy.")
    org = _backend(asked).org.id
    where = f"arn:aws:organizations::{asked.account}:resourcepolicy/{org}/rp-delegation"
    return {"ResourcePolicySummary": {"Id": "rp-delegation", "Arn": where}, "Content": content}


def _backend(asked: Asked) -> Any:
    return organizations_backends[asked.account]["aws"]


def _policy(asked: Asked) -> Any:
    wanted = asked.params["PolicyId"]
    return next((p for p in _backend(asked).policies if p.id == wanted), None)


def _node(asked: Asked) -> Any:
    backend = _backend(asked)
    wanted = asked.params["TargetId"]
    return next((n for n in (*backend.accounts, *backend.ou) if n.id == wanted), None)


def _enabled(asked: Asked) -> bool:
    roots = [r for r in _backend(asked).ou if r.type == "ROOT"]
    return any(t["Type"] == SCP for r in roots for t in r.policy_types)


def _must_be_json(content: str) -> None:
    try:
        json.loads(content)
    except ValueError as error:
        raise AwsError(
            "MalformedPolicyDocumentException", "The policy document is not valid JSON."
        ) from error


def _violated(reason: str) -> AwsError:
    return AwsError("ConstraintViolationException", f"The request violates a limit: {reason}")


CORRECTIONS: Corrections = {
    ("organizations", "CreatePolicy"): write,
    ("organizations", "UpdatePolicy"): write,
    ("organizations", "AttachPolicy"): attach,
    ("organizations", "DetachPolicy"): detach,
    ("organizations", "PutResourcePolicy"): put_resource_policy,
    ("organizations", "DescribeResourcePolicy"): describe_resource_policy,
    ("organizations", "DeleteResourcePolicy"): delete_resource_policy,
}
