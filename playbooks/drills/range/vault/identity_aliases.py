"""Entity aliases over HTTP (API: Identity, Entity Alias)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.errors import absent, invalid
from playbooks.drills.range.vault.identity_store import Alias, shown_alias
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from playbooks.drills.range.vault.wire import Asked

BRIEF = (
    "canonical_id",
    "custom_metadata",
    "local",
    "mount_accessor",
    "mount_path",
    "mount_type",
    "name",
)


class IdentityAliases(Engine):
    """identity/entity-alias. Who writes here can log in as somebody else."""

    kind: ClassVar[str] = "identity"

    @route("POST", "entity-alias")
    def write(self, asked: Asked) -> Reply:
        name, accessor = asked.needed("name"), asked.needed("mount_accessor")
        self._check_mount(accessor)
        known = self.core.identity
        found = known.aliases.get(asked.text("id")) or known.alias(name, accessor)
        if found is not None:
            return self._moved(asked, found)
        entity = asked.text("canonical_id") or self.core.entity("").id
        self._check_entity(entity)
        now = self.core.now
        made = Alias(self.core.uuid(), name, accessor, entity, now, now)
        made.custom = asked.mapping("custom_metadata")
        known.aliases[made.id] = made
        return Reply({"id": made.id, "canonical_id": entity})

    @route("POST", "entity-alias/id/{id}")
    def write_by_id(self, asked: Asked) -> Reply:
        found = self.core.identity.aliases.get(asked.named["id"])
        if found is None:
            raise invalid("invalid alias ID")
        return self._moved(asked, found)

    def _moved(self, asked: Asked, alias: Alias) -> Reply:
        accessor = asked.text("mount_accessor", alias.mount_accessor)
        entity = asked.text("canonical_id", alias.entity)
        self._check_mount(accessor)
        self._check_entity(entity)
        alias.name = asked.text("name", alias.name)
        alias.mount_accessor, alias.entity = accessor, entity
        custom = asked.mapping("custom_metadata")
        alias.custom = alias.custom if custom is None else custom
        alias.updated = self.core.now
        return Reply({"id": alias.id, "canonical_id": entity})

    def _check_mount(self, accessor: str) -> None:
        mounts = self.core.mounts.values()
        if not any(m.accessor == accessor and m.is_auth for m in mounts):
            raise invalid(f"invalid mount accessor {accessor!r}")

    def _check_entity(self, entity: str) -> None:
        if entity not in self.core.identity.entities:
            raise invalid("invalid canonical ID")

    @route("GET", "entity-alias/id/{id}")
    def read_by_id(self, asked: Asked) -> Reply:
        found = self.core.identity.aliases.get(asked.named["id"])
        if found is None:
            raise absent()
        return Reply(shown_alias(found, self.core.mounts))

    @route("DELETE", "entity-alias/id/{id}")
    def delete_by_id(self, asked: Asked) -> Reply:
        self.core.identity.aliases.pop(asked.named["id"], None)
        return Reply()

    @route("LIST", "entity-alias/id")
    def list_by_id(self, asked: Asked) -> Reply:
        found = self.core.identity.aliases
        if not found:
            raise absent()
        shown = {name: shown_alias(found[name], self.core.mounts) for name in sorted(found)}
        info = {name: {k: whole[k] for k in BRIEF} for name, whole in shown.items()}
        return Reply({"keys": list(info), "key_info": info})
