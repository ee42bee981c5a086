"""Inline policies have a size limit over all of a holder's policies together.

IAM: IAM and AWS STS quotas: inline policies of a role may not exceed 10,240 characters in total,
of a user 2,048, of a group 5,120; whitespace is not counted. moto has no limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

LIMITS = {
    "PutRolePolicy": ("roles", "RoleName", "role", 10_240),
    "PutUserPolicy": ("users", "UserName", "user", 2_048),
    "PutGroupPolicy": ("groups", "GroupName", "group", 5_120),
}


def put(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """PutRolePolicy, PutUserPolicy, PutGroupPolicy within the quota."""
    holders, parameter, kind, limit = LIMITS[asked.operation]
    name = asked.params[parameter]
    known: Any = getattr(ground.iam(asked.account), holders).values()
    holder = next((h for h in known if h.name == name), None)
    if holder is not None:
        all_of_it = {**holder.policies, asked.params["PolicyName"]: asked.params["PolicyDocument"]}
        if sum(len("".join(text.split())) for text in all_of_it.values()) > limit:
            raise AwsError(
                "LimitExceeded",
                f"Maximum policy size of {limit} bytes exceeded for {kind} {name}",
                409,
            )
    return onward()


CORRECTIONS: Corrections = {("iam", operation): put for operation in LIMITS}
