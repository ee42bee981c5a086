"""moto's own timestamps follow the world's clock.

LaunchTime, CreateDate and StartTime would otherwise stay on the machine's time when the world's
time is moved on. moto keeps times as naive UTC.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from moto.ec2.models import elastic_block_store, elastic_network_interfaces, instances
from moto.ec2.models import launch_templates as templates
from moto.iam import models as iam
from moto.secretsmanager import models as secretsmanager

if TYPE_CHECKING:
    from datetime import datetime

    from playbooks.drills.range.ground import Ground

MODULES: tuple[Any, ...] = (
    elastic_block_store,
    elastic_network_interfaces,
    instances,
    templates,
    iam,
)


def mend(ground: Ground) -> None:
    """Give moto this world's clock."""

    def now() -> datetime:
        return ground.now().replace(tzinfo=None)

    for module in MODULES:
        module.utcnow = now
    # Secrets Manager asks the time module for epoch seconds, and for nothing else.
    secrets: Any = secretsmanager
    secrets.time = SimpleNamespace(time=ground.seconds)
