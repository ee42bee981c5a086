"""Audit devices over HTTP (API: /sys/audit, /sys/audit-hash)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.audit import Device
from playbooks.drills.range.vault.errors import invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from playbooks.drills.range.vault.wire import Asked

KINDS = ("file", "socket", "syslog")


class SysAudit(Engine):
    """sys/audit and sys/audit-hash."""

    kind: ClassVar[str] = "system"

    @route("GET", "audit", sudo=True)
    def list_devices(self, asked: Asked) -> Reply:
        return Reply(
            {
                f"{path}/": {
                    "type": device.kind,
                    "description": device.description,
                    "options": device.options,
                    "local": device.local,
                    "path": f"{path}/",
                }
                for path, device in sorted(self.core.audits.items())
            }
        )

    @route("POST", "audit/{path...}", sudo=True)
    def enable(self, asked: Asked) -> Reply:
        path, kind = asked.named["path"], asked.needed("type")
        if kind not in KINDS:
            raise invalid(f"unknown backend type: {kind}")
        if path in self.core.audits:
            raise invalid("path already in use")
        # A device that is enabled again gets another salt: older lines cannot be searched then.
        self.core.audits[path] = Device(
            kind,
            self.core.rng.randbytes(32),
            asked.text("description"),
            {k: str(v) for k, v in (asked.mapping("options") or {}).items()},
            asked.flag("local"),
        )
        return Reply()

    @route("DELETE", "audit/{path...}", sudo=True)
    def disable(self, asked: Asked) -> Reply:
        self.core.audits.pop(asked.named["path"], None)
        return Reply()

    @route("POST", "audit-hash/{path...}")
    def hash(self, asked: Asked) -> Reply:
        device = self.core.audits.get(asked.named["path"])
        value = asked.text("input")
        if not value:
            raise invalid('the "input" parameter is empty')
        if device is None:
            raise invalid(f"unknown audit backend {asked.named['path']}/")
        return Reply({"hash": device.hash(value)})
