"""Nothing is deleted that still holds or is held by something else.

IAM: DeleteUser ("you must delete the items attached to the user manually, or the deletion fails":
password, access keys, signing certificates, SSH keys, Git credentials, MFA device, inline and
attached policies, group memberships), DeleteGroup, DeletePolicy (attached anywhere, or more
versions than the default), DeleteVirtualMFADevice ("you must deactivate a user's virtual MFA device
before you can delete it"). moto looks at some of these only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.found import user_named
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def delete_user(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """DeleteUser."""
    user = user_named(ground, asked)
    credentials = ground.kept.service_credentials.values()
    held = {
        "delete the login profile": user.password,
        "delete access keys": user.access_keys,
        "delete signing certificates": user.signing_certificates,
        "delete SSH public keys": user.ssh_public_keys,
        "delete service-specific credentials": [
            c for c in credentials if (c.account, c.user) == (asked.account, user.name)
        ],
        "deactivate MFA devices": user.mfa_devices,
        "delete policies": user.policies,
        "detach all policies": user.managed_policies,
        "remove the user from all groups": ground.iam(asked.account).get_groups_for_user(user.name),
    }
    _empty(held)
    result = onward()
    ground.kept.boundaries.pop((asked.account, user.name), None)
    return result


def delete_group(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """DeleteGroup."""
    group = ground.iam(asked.account).groups.get(asked.params["GroupName"])
    if group is not None:
        _empty(
            {
                "remove users from the group": group.users,
                "delete policies": group.policies,
                "detach all policies": group.managed_policies,
            }
        )
    return onward()


def delete_policy(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """DeletePolicy."""
    arn = asked.params["PolicyArn"]
    policy = ground.iam(asked.account).managed_policies.get(arn)
    if policy is not None:
        _empty(
            {
                "detach the policy from all it is attached to": holders_of(ground, asked, arn),
                "delete all versions but the default": policy.versions[1:],
            }
        )
    return onward()


def delete_device(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """DeleteVirtualMFADevice."""
    serial = asked.params["SerialNumber"]
    device = ground.iam(asked.account).virtual_mfa_devices.get(serial)
    _empty({"deactivate the MFA device": device is not None and device.user})
    return onward()


def holders_of(ground: Ground, asked: Asked, arn: str) -> list[str]:
    """Names of the users, roles and groups of the account that a managed policy bears on."""
    iam = ground.iam(asked.account)
    every = [*iam.users.values(), *iam.roles.values(), *iam.groups.values()]
    bounded = [
        user
        for (account, user), policy in ground.kept.boundaries.items()
        if account == asked.account and policy == arn
    ]
    bounded += [r.name for r in iam.roles.values() if r.permissions_boundary_arn == arn]
    return [holder.name for holder in every if arn in holder.managed_policies] + bounded


def _empty(held: Mapping[str, Any]) -> None:
    for first, things in held.items():
        if things:
            raise AwsError("DeleteConflict", f"Cannot delete entity, must {first} first.", 409)


CORRECTIONS: Corrections = {
    ("iam", "DeleteUser"): delete_user,
    ("iam", "DeleteGroup"): delete_group,
    ("iam", "DeletePolicy"): delete_policy,
    ("iam", "DeleteVirtualMFADevice"): delete_device,
}
