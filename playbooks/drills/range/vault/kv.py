"""The key-value engine, version 2 (API: KV secrets engine - version 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from playbooks.drills.range.vault.durations import seconds, stamp
from playbooks.drills.range.vault.errors import absent, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.wire import Asked

KEPT = 10


@dataclass(slots=True)
class Version:
    """One version of a secret. `deleted` is when it was, or will be, deleted (epoch seconds)."""

    data: dict[str, Any] | None = field(repr=False)
    created: float
    deleted: float | None = None
    destroyed: bool = False

    def shown(self) -> dict[str, Any]:
        """Its metadata."""
        return {
            "created_time": stamp(self.created),
            "deletion_time": "" if self.deleted is None else stamp(self.deleted),
            "destroyed": self.destroyed,
        }

    def readable(self, now: float) -> bool:
        """Whether its data is given out."""
        return not self.destroyed and (self.deleted is None or self.deleted > now)


@dataclass(slots=True)
class Secret:
    """All versions of one secret, and its metadata."""

    created: float
    updated: float
    versions: dict[int, Version] = field(default_factory=dict)
    current: int = 0
    max_versions: int = 0
    cas_required: bool = False
    delete_version_after: int = 0
    custom: dict[str, str] | None = None


class Kv(Engine):
    """A KV v2 mount: path -> Secret."""

    kind: ClassVar[str] = "kv"

    def __init__(self, core: Any, mount: str) -> None:
        super().__init__(core, mount)
        self.secrets: dict[str, Secret] = {}
        self.max_versions = 0
        self.cas_required = False
        self.delete_version_after = 0

    @route("GET", "config")
    def read_config(self, asked: Asked) -> Reply:
        return Reply(
            {
                "cas_required": self.cas_required,
                "delete_version_after": f"{self.delete_version_after}s",
                "max_versions": self.max_versions,
            }
        )

    @route("POST", "config")
    def write_config(self, asked: Asked) -> Reply:
        self.max_versions = asked.number("max_versions", self.max_versions)
        self.cas_required = asked.flag("cas_required", self.cas_required)
        self.delete_version_after = asked.span("delete_version_after", self.delete_version_after)
        return Reply()

    def there(self, asked: Asked) -> bool:
        """Whether the secret is there already."""
        return asked.named["path"] in self.secrets

    @route("GET", "data/{path...}")
    def read(self, asked: Asked) -> Reply:
        secret = self._secret(asked)
        number = asked.number("version") or secret.current
        version = secret.versions.get(number)
        if version is None:
            raise absent()
        shown = {**version.shown(), "custom_metadata": secret.custom, "version": number}
        readable = version.readable(self.core.now)
        data = version.data if readable else None
        # What was deleted is 404, and still says what it was.
        return Reply({"data": data, "metadata": shown}, status=200 if readable else 404)

    @route("POST", "data/{path...}", exists="there")
    def write(self, asked: Asked) -> Reply:
        data = asked.mapping("data")
        if data is None:
            raise invalid("no data provided")
        secret = self.secrets.get(asked.named["path"])
        self._check(asked, secret)
        if secret is None:
            secret = self.secrets[asked.named["path"]] = Secret(self.core.now, self.core.now)
        return self._added(secret, data)

    @route("PATCH", "data/{path...}")
    def patch(self, asked: Asked) -> Reply:
        secret = self._secret(asked)
        self._check(asked, secret)
        newest = secret.versions.get(secret.current)
        if newest is None or not newest.readable(self.core.now):
            raise absent()
        return self._added(secret, _merged(newest.data or {}, asked.mapping("data") or {}))

    def _check(self, asked: Asked, secret: Secret | None) -> None:
        cas = (asked.mapping("options") or {}).get("cas")
        required = self.cas_required or (secret is not None and secret.cas_required)
        if cas is None and required:
            raise invalid("check-and-set parameter required for this call")
        if cas is not None and int(cas) != (secret.current if secret else 0):
            raise invalid("check-and-set parameter did not match the current version")

    def _added(self, secret: Secret, data: dict[str, Any]) -> Reply:
        now = self.core.now
        secret.current += 1
        after = secret.delete_version_after or self.delete_version_after
        version = Version(data, now, now + after if after else None)
        secret.versions[secret.current] = version
        secret.updated = now
        kept = secret.max_versions or self.max_versions or KEPT
        for number in [n for n in secret.versions if n <= secret.current - kept]:
            del secret.versions[number]
        return Reply(
            {**version.shown(), "custom_metadata": secret.custom, "version": secret.current}
        )

    @route("DELETE", "data/{path...}")
    def delete_newest(self, asked: Asked) -> Reply:
        secret = self.secrets.get(asked.named["path"])
        return self._deleted(secret, [secret.current] if secret else [])

    @route("POST", "delete/{path...}")
    def delete(self, asked: Asked) -> Reply:
        return self._deleted(self.secrets.get(asked.named["path"]), _versions(asked))

    def _deleted(self, secret: Secret | None, numbers: list[int]) -> Reply:
        for version in _of(secret, numbers):
            if version.readable(self.core.now):
                version.deleted = self.core.now
        return Reply()

    @route("POST", "undelete/{path...}")
    def undelete(self, asked: Asked) -> Reply:
        for version in _of(self.secrets.get(asked.named["path"]), _versions(asked)):
            if not version.destroyed:
                version.deleted = None
        return Reply()

    @route("POST", "destroy/{path...}")
    def destroy(self, asked: Asked) -> Reply:
        for version in _of(self.secrets.get(asked.named["path"]), _versions(asked)):
            version.destroyed, version.data = True, None
        return Reply()

    @route("LIST", "metadata")
    @route("LIST", "metadata/{path...}")
    def list_under(self, asked: Asked) -> Reply:
        path = asked.named.get("path") or ""
        folder = path + "/" if path else ""
        found = set()
        for name in self.secrets:
            if name.startswith(folder):
                head, slash, _ = name.removeprefix(folder).partition("/")
                found.add(head + slash)
        return keys(sorted(found))

    @route("GET", "metadata/{path...}")
    def read_metadata(self, asked: Asked) -> Reply:
        secret = self._secret(asked)
        return Reply(
            {
                "cas_required": secret.cas_required,
                "created_time": stamp(secret.created),
                "current_version": secret.current,
                "custom_metadata": secret.custom,
                "delete_version_after": f"{secret.delete_version_after}s",
                "max_versions": secret.max_versions,
                "oldest_version": min(secret.versions, default=0),
                "updated_time": stamp(secret.updated),
                "versions": {str(n): v.shown() for n, v in secret.versions.items()},
            }
        )

    @route("POST", "metadata/{path...}", exists="there")
    def write_metadata(self, asked: Asked) -> Reply:
        path = asked.named["path"]
        secret = self.secrets.setdefault(path, Secret(self.core.now, self.core.now))
        secret.max_versions = asked.number("max_versions", secret.max_versions)
        secret.cas_required = asked.flag("cas_required", secret.cas_required)
        after = asked.given("delete_version_after")
        secret.delete_version_after = (
            secret.delete_version_after if after is None else seconds(after)
        )
        custom = asked.mapping("custom_metadata")
        if custom is not None:
            secret.custom = {k: str(v) for k, v in custom.items()}
        secret.updated = self.core.now
        return Reply()

    @route("PATCH", "metadata/{path...}")
    def patch_metadata(self, asked: Asked) -> Reply:
        secret = self._secret(asked)
        custom = asked.mapping("custom_metadata")
        if custom is not None:
            secret.custom = _merged(secret.custom or {}, custom)
        secret.updated = self.core.now
        return Reply()

    @route("DELETE", "metadata/{path...}")
    def delete_metadata(self, asked: Asked) -> Reply:
        self.secrets.pop(asked.named["path"], None)
        return Reply()

    def _secret(self, asked: Asked) -> Secret:
        secret = self.secrets.get(asked.named["path"])
        if secret is None:
            raise absent()
        return secret


def _of(secret: Secret | None, numbers: list[int]) -> list[Version]:
    """Those of the versions that are there; the others are passed over in silence."""
    return [secret.versions[n] for n in numbers if n in secret.versions] if secret else []


def _versions(asked: Asked) -> list[int]:
    numbers = asked.numbers("versions")
    if not numbers:
        raise invalid("No version number provided")
    return numbers


def _merged(old: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """JSON merge patch (RFC 7386)."""
    new = dict(old)
    for name, value in patch.items():
        if value is None:
            new.pop(name, None)
        elif isinstance(value, dict):
            below = new.get(name)
            new[name] = _merged(below if isinstance(below, dict) else {}, value)
        else:
            new[name] = value
    return new
