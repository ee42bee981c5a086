"""The seal over HTTP (API: /sys/seal-status, /sys/seal, /sys/unseal, /sys/health, /sys/init)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.errors import RefusedError, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.seal import SHARES, THRESHOLD, Given
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from playbooks.drills.range.vault.wire import Asked

VERSION = "1.20.0+range"
CLUSTER = "vault-cluster-range"


class SysSeal(Engine):
    """What answers while Vault is sealed, too, and what seals it."""

    kind: ClassVar[str] = "system"
    while_sealed: ClassVar[bool] = True
    audited: ClassVar[bool] = False

    @route("GET", "health", free=True)
    @route("HEAD", "health", free=True)
    def read_health(self, asked: Asked) -> Reply:
        sealed = self.core.seal.sealed
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
                "cluster_name": CLUSTER,
                "cluster_id": self.core.cluster_id,
            },
            status=status,
            bare=True,
        )

    @route("GET", "init", free=True)
    def read_init(self, asked: Asked) -> Reply:
        return Reply({"initialized": True}, bare=True)

    @route("GET", "leader", free=True)
    def read_leader(self, asked: Asked) -> Reply:
        if self.core.seal.sealed:
            raise RefusedError(503, "Vault is sealed")
        return Reply(
            {
                "ha_enabled": False,
                "is_self": False,
                "leader_address": "",
                "leader_cluster_address": "",
                "performance_standby": False,
            },
            bare=True,
        )

    @route("GET", "seal-status", free=True)
    def read_status(self, asked: Asked) -> Reply:
        seal = self.core.seal
        data = {
            "type": "shamir",
            "initialized": True,
            "sealed": seal.sealed,
            "t": THRESHOLD,
            "n": SHARES,
            "progress": len(seal.unsealing.shares),
            "nonce": seal.unsealing.nonce,
            "version": VERSION,
            "migration": False,
            "recovery_seal": False,
            "storage_type": "inmem",
        }
        if not seal.sealed:
            data |= {"cluster_name": CLUSTER, "cluster_id": self.core.cluster_id}
        return Reply(data, bare=True)

    @route("POST", "unseal", free=True)
    def unseal(self, asked: Asked) -> Reply:
        seal = self.core.seal
        if asked.flag("reset"):
            seal.unsealing = Given()
        elif seal.sealed:
            share = asked.text("key")
            if share not in seal.shares:
                raise invalid("'key' must be a valid hex or base64 string of an unseal key")
            seal.unsealing.nonce = seal.unsealing.nonce or self.core.uuid()
            seal.unsealing.shares.add(share)
            if len(seal.unsealing.shares) >= THRESHOLD:
                seal.sealed, seal.unsealing = False, Given()
        return self.read_status(asked)

    @route("POST", "seal", sudo=True)
    def close(self, asked: Asked) -> Reply:
        self.core.seal.sealed = True
        return Reply()
