"""Health (API: /sys/health)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from playbooks.drills.range.vault.wire import Asked

VERSION = "1.20.0+range"


class SysHealth(Engine):
    """sys/health of one active node."""

    kind: ClassVar[str] = "system"

    @route("GET", "health", free=True)
    def read(self, asked: Asked) -> Reply:
        sealed = self.core.sealed
        status = asked.number("sealedcode", 503) if sealed else asked.number("activecode", 200)
        return Reply(
            {
                "initialized": True,
                "sealed": sealed,
                "standby": False,
                "performance_standby": False,
                "replication_performance_mode": "disabled",
                "replication_dr_mode": "disabled",
                "server_time_utc": int(self.core.now),
                "version": VERSION,
                "cluster_name": "vault-cluster-range",
                "cluster_id": self.core.cluster_id,
            },
            status=status,
            bare=True,
        )
