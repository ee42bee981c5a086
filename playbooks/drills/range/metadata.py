"""Instance metadata: the credentials of an instance's role."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from playbooks.drills.range import keys
from playbooks.drills.range.errors import UnknownThingError
from playbooks.drills.range.keys import Credentials, Issued, Principal

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground

LIFE = timedelta(hours=6)
RENEW_BEFORE_END = timedelta(minutes=5)


def session_of(ground: Ground, instance_id: str, *, renewed: bool = False) -> Credentials:
    """The instance's current session keys, renewed as the metadata service renews them.

    `renewed` gives new ones before their time; the earlier ones go on until they expire.

    Raises UnknownThingError when the instance is not running or has no role.
    """
    role = role_of(ground, instance_id)
    arn = f"arn:aws:ec2:{ground.region}:{ground.account}:instance/{instance_id}"
    user_id = f"{role.id}:{instance_id}"
    for issued in () if renewed else reversed(ground.issued.values()):
        ends = issued.credentials.expires_at
        same = issued.principal.instance_arn == arn and issued.principal.user_id == user_id
        if same and ends is not None and ground.now() < ends - RENEW_BEFORE_END:
            return issued.credentials
    made = keys.make(ground.rng, temporary=True, expires_at=ground.now() + LIFE)
    principal = Principal(
        kind="role",
        account=ground.account,
        arn=f"arn:aws:sts::{ground.account}:assumed-role/{role.name}/{instance_id}",
        user_id=user_id,
        name=role.name,
        session_name=instance_id,
        issued_at=ground.now(),
        instance_arn=arn,
    )
    ground.issued[made.access_key] = Issued(made, principal)
    return made


def role_of(ground: Ground, instance_id: str) -> Any:
    """The role that a running instance's profile gives. Raises UnknownThingError without one."""
    ec2 = ground.ec2()
    instance = next((i for i in ec2.all_instances() if i.id == instance_id), None)
    if instance is None or instance.state != "running":
        raise UnknownThingError(f"{instance_id} is not a running instance, so it has no metadata")
    association = ec2.iam_instance_profile_associations.get(instance_id)
    if association is None or not association.iam_instance_profile.roles:
        raise UnknownThingError(f"{instance_id} has no instance profile with a role")
    return association.iam_instance_profile.roles[0]
