"""A launch is idempotent by its client token and gets what its request or template says.

AWS: Ensuring idempotency in Amazon EC2 API requests: the same token with the same parameters
returns the first reservation, with others IdempotentParameterMismatch. AWS: launch templates carry
the instance profile and the protection flags. moto ignores the token, DisableApiTermination, and
a template's profile.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def run(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """RunInstances."""
    token = asked.params.get("ClientToken")
    key = (asked.account, asked.region, token or "")
    meant = hashlib.sha256(
        json.dumps(asked.params, sort_keys=True, default=str).encode()
    ).hexdigest()
    backend = ground.ec2(asked.account, asked.region)
    if token and key in ground.kept.run_tokens:
        before, reservation_id = ground.kept.run_tokens[key]
        if before != meant:
            raise AwsError(
                "IdempotentParameterMismatch",
                "Arguments on this idempotent request are inconsistent with arguments used in "
                "previous request(s).",
            )
        return _again(ground, backend, reservation_id)
    result = onward()
    if token:
        ground.kept.run_tokens[key] = (meant, result["ReservationId"])
    template = template_data(backend, asked.params.get("LaunchTemplate"))
    for made in result["Instances"]:
        complete(ground, asked.account, asked.region, made["InstanceId"], template, asked.params)
    return result


def template_data(backend: Any, named: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A launch template's data (AWS shape); empty when none is named."""
    if not named:
        return {}
    data: Mapping[str, Any] = backend._get_template_from_args(named).data
    return data


def complete(
    ground: Ground,
    account: str,
    region: str,
    instance_id: str,
    template: Mapping[str, Any],
    asked_for: Mapping[str, Any],
) -> None:
    """Give a new instance the profile and flags of its request, else of its template."""
    backend = ground.ec2(account, region)
    instance = backend.get_instance(instance_id)
    for name, attribute in (
        ("DisableApiTermination", "disable_api_termination"),
        ("DisableApiStop", "disable_api_stop"),
        ("InstanceInitiatedShutdownBehavior", "instance_initiated_shutdown_behavior"),
    ):
        value = asked_for.get(name, template.get(name))
        if value is not None:
            setattr(instance, attribute, value)
    profile = asked_for.get("IamInstanceProfile") or template.get("IamInstanceProfile") or {}
    if profile and instance_id not in backend.iam_instance_profile_associations:
        backend.associate_iam_instance_profile(
            instance_id=instance_id,
            iam_instance_profile_name=profile.get("Name"),
            iam_instance_profile_arn=profile.get("Arn"),
        )


def _again(ground: Ground, backend: Any, reservation_id: str) -> Mapping[str, Any]:
    ids = [i.id for i in backend.reservations[reservation_id].instances]
    found = ground.perform(
        "ec2",
        "DescribeInstances",
        {"InstanceIds": ids},
        region=backend.region_name,
        account=backend.account_id,
    )
    reservation: Mapping[str, Any] = found["Reservations"][0]
    return reservation


CORRECTIONS: Corrections = {("ec2", "RunInstances"): run}
