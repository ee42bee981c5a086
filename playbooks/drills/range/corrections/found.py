"""IAM's things by the name that a request gives, or the refusal that IAM gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def user_named(ground: Ground, asked: Asked) -> Any:
    """moto's user of the request's UserName. Raises AwsError NoSuchEntity."""
    name = asked.params.get("UserName", "")
    user = ground.iam(asked.account).users.get(name)
    if user is None:
        raise AwsError("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
    return user


def entity_of(ground: Ground, account: str, arn: str) -> Any:
    """moto's user, role or group with this ARN. Raises AwsError NoSuchEntity."""
    iam = ground.iam(account)
    for holder in (*iam.users.values(), *iam.roles.values(), *iam.groups.values()):
        if holder.arn == arn:
            return holder
    raise AwsError("NoSuchEntity", f"ARN {arn} is not found.", 404)
