"""Console output belongs to its instance and does not change by being read.

AWS: GetConsoleOutput: the serial console's buffer, base64, with the time it was last updated.
moto gives every instance one fixed text and the time of the call.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.attributes import found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def get(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GetConsoleOutput."""
    instance = found(ground.ec2(asked.account, asked.region), asked.params["InstanceId"])
    lines = [
        "[    0.000000] Linux version 6.1.0 (range) #1 SMP PREEMPT_DYNAMIC",
        f"[    0.912331] cloud-init: instance {instance.id} from {instance.image_id}",
        f"[    3.104220] systemd[1]: Hostname set to <{instance.private_dns_name}>.",
        "",
    ]
    return {
        "InstanceId": instance.id,
        "Output": b64encode("\n".join(lines).encode()).decode(),
        "Timestamp": instance.launch_time,
    }


CORRECTIONS: Corrections = {("ec2", "GetConsoleOutput"): get}
