"""Termination and stop protection hold for every instance of a request, or nothing happens.

AWS: Change instance termination protection / Enable stop protection: a protected instance makes
the whole request fail. AWS: Change instance initiated shutdown behavior: a shutdown from inside
follows that attribute and no API protection stops it. moto ends those named before the protected
one, and drops DisableApiTermination at launch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.attributes import found
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def terminate(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """Refuse while any named instance has termination protection."""
    _unprotected(ground, asked, "disable_api_termination", "terminated", "disableApiTermination")
    return onward()


def stop(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """Refuse while any named instance has stop protection."""
    _unprotected(ground, asked, "disable_api_stop", "stopped", "disableApiStop")
    return onward()


def _unprotected(ground: Ground, asked: Asked, flag: str, verb: str, attribute: str) -> None:
    backend = ground.ec2(asked.account, asked.region)
    instances: list[Any] = [found(backend, i) for i in asked.params.get("InstanceIds", [])]
    for instance in instances:
        if getattr(instance, flag):
            raise AwsError(
                "OperationNotPermitted",
                f"The instance '{instance.id}' may not be {verb}. Modify its '{attribute}' "
                "instance attribute and try again.",
            )


def shut_down_from_inside(ground: Ground, instance_id: str) -> None:
    """The guest runs `shutdown`: stop or terminate by the instance's shutdown behaviour."""
    instance = found(ground.ec2(), instance_id)
    if instance.instance_initiated_shutdown_behavior == "stop":
        instance.stop()
        return
    instance.terminate()
    ground.autoscaling().notify_terminate_instances([instance_id])
    ground.elbv2().notify_terminate_instances([instance_id])


CORRECTIONS: Corrections = {
    ("ec2", "TerminateInstances"): terminate,
    ("ec2", "StopInstances"): stop,
}
