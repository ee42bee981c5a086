"""Entities over HTTP (API: Identity, Entity and Lookup)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.errors import absent, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.identity_store import Entity
    from playbooks.drills.range.vault.wire import Asked


class IdentityEntities(Engine):
    """identity/entity and identity/lookup/entity. Merging is not simulated."""

    kind: ClassVar[str] = "identity"

    @route("POST", "entity")
    def write(self, asked: Asked) -> Reply:
        known = self.core.identity
        by_id = asked.text("id")
        if by_id and by_id not in known.entities:
            raise invalid("entity not found from id")
        name = asked.text("name")
        return self._written(asked, known.entities.get(by_id) or known.entity_named(name), name)

    @route("POST", "entity/id/{id}")
    def write_by_id(self, asked: Asked) -> Reply:
        found = self.core.identity.entities.get(asked.named["id"])
        if found is None:
            raise invalid("entity not found from id")
        return self._written(asked, found, asked.text("name", found.name))

    @route("POST", "entity/name/{name}")
    def write_by_name(self, asked: Asked) -> Reply:
        name = asked.named["name"]
        return self._written(asked, self.core.identity.entity_named(name), name)

    def _written(self, asked: Asked, found: Entity | None, name: str) -> Reply:
        core, new = self.core, found is None
        entity = found or core.entity(name)
        if name and name != entity.name:
            if core.identity.entity_named(name):
                raise invalid("entity name is already in use")
            entity.name = name
        entity.updated = core.now
        entity.disabled = asked.flag("disabled", entity.disabled)
        entity.policies = asked.texts("policies", entity.policies)
        metadata = asked.mapping("metadata")
        if metadata is not None:
            entity.metadata = {k: str(v) for k, v in metadata.items()}
        if not new:
            return Reply()
        return Reply({"aliases": None, "id": entity.id, "name": entity.name})

    @route("GET", "entity/id/{id}")
    def read_by_id(self, asked: Asked) -> Reply:
        return self._shown(self.core.identity.entities.get(asked.named["id"]))

    @route("GET", "entity/name/{name}")
    def read_by_name(self, asked: Asked) -> Reply:
        return self._shown(self.core.identity.entity_named(asked.named["name"]))

    def _shown(self, entity: Entity | None) -> Reply:
        if entity is None:
            raise absent()
        return Reply(self.core.identity.shown(entity, self.core.mounts))

    @route("DELETE", "entity/id/{id}")
    def delete_by_id(self, asked: Asked) -> Reply:
        self.core.identity.drop(asked.named["id"])
        return Reply()

    @route("DELETE", "entity/name/{name}")
    def delete_by_name(self, asked: Asked) -> Reply:
        found = self.core.identity.entity_named(asked.named["name"])
        if found is not None:
            self.core.identity.drop(found.id)
        return Reply()

    @route("LIST", "entity/id")
    def list_by_id(self, asked: Asked) -> Reply:
        return keys(sorted(self.core.identity.entities))

    @route("LIST", "entity/name")
    def list_by_name(self, asked: Asked) -> Reply:
        return keys(sorted(e.name for e in self.core.identity.entities.values()))

    @route("POST", "lookup/entity")
    def look_up(self, asked: Asked) -> Reply:
        known = self.core.identity
        found = known.entities.get(asked.text("id")) or known.entity_named(asked.text("name"))
        alias = known.aliases.get(asked.text("alias_id")) or known.alias(
            asked.text("alias_name"), asked.text("alias_mount_accessor")
        )
        if not asked.body:
            raise invalid("query parameters not supplied")
        if found is None and alias is not None:
            found = known.entities[alias.entity]
        # Nobody found is no error here, only nothing to say.
        return Reply(known.shown(found, self.core.mounts)) if found else Reply()
