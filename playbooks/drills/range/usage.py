"""Who last used what, learned from the requests that were really received.

IAM: RoleLastUsed of GetRole; IAM User Guide, "Refine permissions using last
accessed information": attempts count, denied ones too; requests that are not authenticated do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.targets import S3_ACTIONS

if TYPE_CHECKING:
    from playbooks.drills.range.calls import Call
    from playbooks.drills.range.ground import Ground


@dataclass(frozen=True, slots=True)
class Used:
    """The last time that somebody asked for an action. `entity` is the user's or role's ARN."""

    at: datetime
    region: str
    entity: str


def note(ground: Ground, call: Call) -> None:
    """Keep that the call's principal and its key were used for this."""
    principal = call.principal
    if principal is None or principal.kind not in ("user", "role"):
        return
    holder_id = principal.user_id.partition(":")[0]
    iam: Any = ground.iam(principal.account)
    role = iam.roles.get(holder_id)
    if role is not None:
        role.last_used, role.last_used_region = call.at.replace(tzinfo=None), call.region
    entity = str(role.arn) if role is not None else principal.arn
    used = ground.used.setdefault(holder_id, {})
    # IAM names actions, not operations.
    action = (
        S3_ACTIONS.get(call.operation, call.operation) if call.service == "s3" else (call.operation)
    )
    used[call.service, action] = Used(call.at, call.region, entity)
