"""What is mounted where: secrets engines at PATH/, auth methods at auth/PATH/."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playbooks.drills.range.vault.routes import Engine

DEFAULT_TTL = 768 * 3600


@dataclass(slots=True)
class Mount:
    """One mount. `path` ends in a slash; `parts` are the engines that serve it together.
    TTLs are seconds, 0 for the system's own."""

    path: str
    kind: str
    accessor: str
    uuid: str
    parts: tuple[Engine, ...]
    description: str = ""
    default_ttl: int = 0
    max_ttl: int = 0
    options: dict[str, str] | None = None
    local: bool = False
    seal_wrap: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_auth(self) -> bool:
        """Whether it is an auth method."""
        return self.path.startswith("auth/")

    def shown(self) -> dict[str, Any]:
        """One entry of sys/mounts or sys/auth."""
        return {
            "accessor": self.accessor,
            "config": {
                "default_lease_ttl": self.default_ttl,
                "max_lease_ttl": self.max_ttl,
                "force_no_cache": False,
                **self.extra,
            },
            "deprecation_status": "supported",
            "description": self.description,
            "external_entropy_access": False,
            "local": self.local,
            "options": self.options,
            "plugin_version": "",
            "running_plugin_version": "",
            "running_sha256": "",
            "seal_wrap": self.seal_wrap,
            "type": self.kind,
            "uuid": self.uuid,
        }
