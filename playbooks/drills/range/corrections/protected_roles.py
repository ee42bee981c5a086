"""AWS's own roles in an account cannot be changed through IAM.

IAM: UnmodifiableEntity ("only the service that depends on the service-linked role can modify or
delete the role on your behalf"); IAM Identity Center User Guide, "Referencing permission sets in
resource policies": roles named AWSReservedSSO_ under the path /aws-reserved/ are Identity Center's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

CHANGES = (
    *("AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy"),
    *("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "UpdateAssumeRolePolicy"),
    *("UpdateRole", "DeleteRole", "TagRole", "UntagRole"),
)
# A service-linked role's description and tags are the account's own.
OPEN_TO_THE_ACCOUNT = {"UpdateRole", "TagRole", "UntagRole"}


def change(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """Any change of a role."""
    name = asked.params["RoleName"]
    roles = ground.iam(asked.account).roles.values()
    path = next((str(r.path) for r in roles if r.name == name), "/")
    linked = path.startswith("/aws-service-role/") and asked.operation not in OPEN_TO_THE_ACCOUNT
    if linked or path.startswith("/aws-reserved/"):
        raise AwsError(
            "UnmodifiableEntity",
            f"Cannot perform the operation on the protected role '{name}' - this role is only "
            "modifiable by AWS",
        )
    return onward()


CORRECTIONS: Corrections = {("iam", operation): change for operation in CHANGES}
