"""Secrets engines and auth methods as they are mounted (API: /sys/mounts, /sys/auth)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from playbooks.drills.range.vault import kinds
from playbooks.drills.range.vault.durations import seconds
from playbooks.drills.range.vault.errors import BackendError, invalid
from playbooks.drills.range.vault.mounts import DEFAULT_TTL
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.vault.mounts import Mount
    from playbooks.drills.range.vault.wire import Asked

TUNED = (
    "audit_non_hmac_request_keys",
    "audit_non_hmac_response_keys",
    "listing_visibility",
    "passthrough_request_headers",
    "allowed_response_headers",
    "token_type",
)
FIXED = ("sys/", "auth/token/", "identity/", "cubbyhole/")


class SysMounts(Engine):
    """sys/mounts and sys/auth. An auth method at PATH is the mount auth/PATH/."""

    kind: ClassVar[str] = "system"

    @route("GET", "mounts")
    def list_engines(self, asked: Asked) -> Reply:
        return self._listed(is_auth=False)

    @route("GET", "auth")
    def list_methods(self, asked: Asked) -> Reply:
        return self._listed(is_auth=True)

    def _listed(self, *, is_auth: bool) -> Reply:
        mounts = [m for m in self.core.mounts.values() if m.is_auth == is_auth]
        return Reply({m.path.removeprefix("auth/"): m.shown() for m in mounts})

    @route("GET", "mounts/{path...}/tune")
    def read_engine_tuning(self, asked: Asked) -> Reply:
        return Reply(self._tuning(self._found(asked.named["path"])))

    @route("GET", "auth/{path...}/tune", sudo=True)
    def read_method_tuning(self, asked: Asked) -> Reply:
        return Reply(self._tuning(self._found("auth/" + asked.named["path"])))

    @route("GET", "mounts/{path...}")
    def read_engine(self, asked: Asked) -> Reply:
        return Reply(self._found(asked.named["path"]).shown())

    @route("GET", "auth/{path...}", sudo=True)
    def read_method(self, asked: Asked) -> Reply:
        return Reply(self._found("auth/" + asked.named["path"]).shown())

    def _tuning(self, mount: Mount) -> dict[str, Any]:
        return {
            "default_lease_ttl": mount.default_ttl or DEFAULT_TTL,
            "max_lease_ttl": mount.max_ttl or DEFAULT_TTL,
            "description": mount.description,
            "force_no_cache": False,
            "options": mount.options,
            **mount.extra,
        }

    @route("POST", "mounts/{path...}/tune")
    def tune_engine(self, asked: Asked) -> Reply:
        return self._tuned(self._found(asked.named["path"]), asked.body)

    @route("POST", "auth/{path...}/tune", sudo=True)
    def tune_method(self, asked: Asked) -> Reply:
        return self._tuned(self._found("auth/" + asked.named["path"]), asked.body)

    @route("POST", "mounts/{path...}")
    def enable_engine(self, asked: Asked) -> Reply:
        kind, options = asked.needed("type"), asked.mapping("options") or {}
        if kind == "kv-v2":
            kind, options = "kv", {**options, "version": "2"}
        if kind == "kv" and options.get("version") != "2":
            raise invalid("only version 2 of kv is simulated here: give options.version=2")
        return self._enabled(asked, asked.named["path"], kind, kinds.SECRETS, options)

    @route("POST", "auth/{path...}", sudo=True)
    def enable_method(self, asked: Asked) -> Reply:
        path, kind = "auth/" + asked.named["path"], asked.needed("type")
        return self._enabled(asked, path, kind, kinds.AUTH, None)

    def _enabled(
        self,
        asked: Asked,
        path: str,
        kind: str,
        known: dict[str, kinds.Parts],
        options: dict[str, str] | None,
    ) -> Reply:
        if kind not in known:
            raise invalid(f"plugin not found in the catalog: {kind}")
        for taken in self.core.mounts:
            if taken.startswith(path + "/") or (path + "/").startswith(taken):
                raise invalid(f"path is already in use at {taken}")
        mount = self.core.mount(
            path + "/",
            kind,
            known[kind],
            description=asked.text("description"),
            options=options or None,
            local=asked.flag("local"),
        )
        return self._tuned(mount, asked.mapping("config") or {})

    def _tuned(self, mount: Mount, config: Mapping[str, Any]) -> Reply:
        if "default_lease_ttl" in config:
            mount.default_ttl = seconds(config["default_lease_ttl"])
        if "max_lease_ttl" in config:
            mount.max_ttl = seconds(config["max_lease_ttl"])
        if "description" in config:
            mount.description = str(config["description"])
        mount.extra |= {name: config[name] for name in TUNED if name in config}
        return Reply()

    @route("DELETE", "mounts/{path...}")
    def disable_engine(self, asked: Asked) -> Reply:
        return self._disabled(asked.named["path"] + "/")

    @route("DELETE", "auth/{path...}", sudo=True)
    def disable_method(self, asked: Asked) -> Reply:
        return self._disabled(f"auth/{asked.named['path']}/")

    def _disabled(self, path: str) -> Reply:
        if path in FIXED:
            raise invalid(f"cannot unmount {path!r}")
        if path in self.core.mounts:
            try:
                self.core.unmount(path)
            except BackendError as e:
                raise invalid(f"failed to revoke what {path!r} gave out: {e}") from e
        return Reply()

    def _found(self, path: str) -> Mount:
        mount = self.core.mounts.get(path + "/")
        if mount is None:
            raise invalid(f"No secret engine or auth method mount at {path}/")
        return mount
