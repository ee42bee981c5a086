"""Where a permission set is provisioned there is a role of it, and people sign in to that.

IAM Identity Center User Guide, "Referencing permission sets in resource policies" and "Permission
sets": provisioning makes an IAM role AWSReservedSSO_NAME_SUFFIX under /aws-reserved/ in the
account, with the permission set's policies; IAM cannot change it (protected_roles.py). "Revoke
active IAM role sessions created by permission sets": a session of it carries identitystore:userId,
and outlives both the portal's session and the assignment. The role stays when its last assignment
goes; whether AWS removes it at once was not found in the documentation.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.identitystore.models import identitystore_backends
from moto.moto_api._internal import mock_random
from moto.ssoadmin.models import ssoadmin_backends

from playbooks.drills.range import keys
from playbooks.drills.range.errors import UnknownThingError
from playbooks.drills.range.keys import Credentials, Issued, Principal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playbooks.drills.range.ground import Ground

PREFIX = "AWSReservedSSO_"
INLINE = "AwsSSOInlinePolicy"


def keep(ground: Ground) -> None:
    """Let each account have the roles of what is provisioned there, with the policies of then."""
    for region, backend in _backends():
        for permission_set in backend.permission_sets:
            for account, inline in vars(permission_set).get("provisioned", {}).items():
                role = _role(ground, account, region, permission_set)
                role.policies = {INLINE: inline} if inline else {}
                known = ground.iam(account).managed_policies
                arns = [p.arn for p in permission_set.managed_policies if p.arn in known]
                role.managed_policies = {arn: known[arn] for arn in arns}
    if ground.lag is not None:
        ground.lag.observe()


def sign_in(ground: Ground, user_id: str, permission_set: str, account: str) -> Credentials:
    """The keys of a session that the access portal gives to a user of Identity Center.

    Raises UnknownThingError when the permission set is not assigned to the user there, neither
    directly nor by a group.
    """
    for region, backend in _backends():
        names = {("USER", user_id), *(("GROUP", group) for group in _groups(user_id))}
        assigned = any(
            (a.principal_type, a.principal_id) in names
            and (a.target_id, a.permission_set_arn) == (account, permission_set)
            for a in backend.account_assignments
        )
        found = [s for s in backend.permission_sets if s.permission_set_arn == permission_set]
        if assigned and found:
            return _session(ground, user_id, account, _role(ground, account, region, found[0]))
    raise UnknownThingError(f"{permission_set} is not assigned to {user_id} in {account}")


def _session(ground: Ground, user_id: str, account: str, role: Any) -> Credentials:
    ends = ground.now() + timedelta(seconds=int(role.max_session_duration))
    made = keys.make(ground.rng, temporary=True, expires_at=ends)
    principal = Principal(
        kind="role",
        account=account,
        arn=f"arn:aws:sts::{account}:assumed-role/{role.name}/{user_id}",
        user_id=f"{role.id}:{user_id}",
        name=role.name,
        session_name=user_id,
        issued_at=ground.now(),
        identity_user=user_id,
    )
    ground.issued[made.access_key] = Issued(made, principal)
    return made


def _role(ground: Ground, account: str, region: str, permission_set: Any) -> Any:
    """moto's role of a permission set in an account, made where there is none."""
    arn = permission_set.permission_set_arn
    suffix = hashlib.sha256(f"{arn}/{account}".encode()).hexdigest()[:16]
    name = f"{PREFIX}{permission_set.name}_{suffix}"
    iam = ground.iam(account)
    for role in iam.roles.values():
        if role.name == name:
            return role
    provider = f"arn:aws:iam::{account}:saml-provider/AWSSSO_{suffix}_DO_NOT_DELETE"
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
    }
    before = mock_random.getstate()
    # When it comes to be made depends on time and on who reads; its id may not.
    mock_random.seed(f"{ground.seed}/{name}")
    made = iam.create_role(
        role_name=name,
        assume_role_policy_document=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        path=f"/aws-reserved/sso.amazonaws.com/{region}/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration=str(_seconds(permission_set.session_duration)),
    )
    mock_random.setstate(before)
    return made


def _seconds(duration: str | int | None) -> int:
    """An ISO 8601 duration of hours and minutes, as SessionDuration is; an hour by default."""
    if isinstance(duration, int):
        return duration  # moto has seconds where none was given.
    hours, _, minutes = (duration or "PT1H").removeprefix("PT").rpartition("H")
    return int(hours or 0) * 3600 + int(minutes.removesuffix("M") or 0) * 60


def _groups(user_id: str) -> set[str]:
    return {
        membership["GroupId"]
        for regions in identitystore_backends.values()
        for backend in regions.values()
        for store in backend.identity_stores.values()
        for membership in store.group_memberships.values()
        if membership["MemberId"].get("UserId") == user_id
    }


def _backends() -> Iterator[tuple[str, Any]]:
    for regions in list(ssoadmin_backends.values()):
        yield from list(regions.items())
