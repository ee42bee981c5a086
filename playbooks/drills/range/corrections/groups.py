"""A security group that something still uses cannot be deleted.

AWS: DeleteSecurityGroup: a group that is "associated with an instance or network interface, is
referenced by another security group in the same VPC" fails with DependencyViolation; a VPC's
default group fails with CannotDelete. moto deletes all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def delete(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """Delete a group that nothing uses."""
    backend = ground.ec2(asked.account, asked.region)
    group_id = str(asked.params.get("GroupId", ""))
    group = backend.get_security_group_from_id(group_id)
    if group is None:
        return onward()
    if group.is_default or group.name == "default":
        raise AwsError(
            "CannotDelete",
            f'the specified group: "{group_id}" name: "default" cannot be deleted by a user',
        )
    if _used(backend, group_id):
        raise AwsError("DependencyViolation", f"resource {group_id} has a dependent object")
    return {"GroupId": group_id, "Return": True, **onward()}


def _used(backend: Any, group_id: str) -> bool:
    on_interface = any(g.id == group_id for e in backend.enis.values() for g in e.group_set)
    named = any(
        rule.source_group.get("GroupId") == group_id
        for groups in backend.groups.values()
        for group in groups.values()
        if group.id != group_id
        for rule in (*group.ingress_rules, *group.egress_rules)
    )
    return on_interface or named


CORRECTIONS: Corrections = {("ec2", "DeleteSecurityGroup"): delete}
