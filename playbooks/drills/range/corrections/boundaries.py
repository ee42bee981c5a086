"""A user can have a permissions boundary.

IAM: PutUserPermissionsBoundary, DeleteUserPermissionsBoundary; GetUser shows it. moto has it for
roles only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.correction import AS_IT_IS
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def put(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """Set the boundary; both the user and the policy must exist."""
    user, policy = asked.params["UserName"], asked.params["PermissionsBoundary"]
    _user(ground, asked)
    if policy not in ground.iam(asked.account).managed_policies:
        raise AwsError(
            "NoSuchEntity", f"Scope ARN: {policy} does not exist or is not attachable.", 404
        )
    ground.kept.boundaries[(asked.account, user)] = policy
    return {}


def delete(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """Take the boundary away."""
    _user(ground, asked)
    key = (asked.account, asked.params["UserName"])
    if ground.kept.boundaries.pop(key, None) is None:
        raise AwsError("NoSuchEntity", f"User {key[1]} has no permissions boundary.", 404)
    return {}


def get(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """GetUser with the boundary."""
    if not ground.kept.boundaries:
        return AS_IT_IS
    result = onward()
    policy = ground.kept.boundaries.get((asked.account, result["User"]["UserName"]))
    if policy:
        result["User"]["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": policy,
        }
    return result


def _user(ground: Ground, asked: Asked) -> None:
    name = asked.params["UserName"]
    if name not in ground.iam(asked.account).users:
        raise AwsError("NoSuchEntity", f"The user with name {name} cannot be found.", 404)


CORRECTIONS: Corrections = {
    ("iam", "PutUserPermissionsBoundary"): put,
    ("iam", "DeleteUserPermissionsBoundary"): delete,
    ("iam", "GetUser"): get,
}
