"""Who is behind a login: entities, their aliases, and groups of them (docs/concepts/identity)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.vault.durations import stamp

if TYPE_CHECKING:
    from playbooks.drills.range.vault.mounts import Mount


@dataclass(slots=True)
class Alias:
    """What an auth mount calls an entity. `entity` is the entity's id."""

    id: str
    name: str
    mount_accessor: str
    entity: str
    created: float
    updated: float
    custom: dict[str, str] | None = None
    metadata: dict[str, str] | None = None


@dataclass(slots=True)
class Entity:
    """A person or machine. Its tokens work only while it is there and not disabled."""

    id: str
    name: str
    created: float
    updated: float
    policies: list[str] = field(default_factory=list)
    metadata: dict[str, str] | None = None
    disabled: bool = False


@dataclass(slots=True)
class Group:
    """An internal group: its policies are its members'."""

    id: str
    name: str
    created: float
    updated: float
    policies: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    metadata: dict[str, str] | None = None


@dataclass(slots=True)
class Identity:
    """All of them, by id."""

    entities: dict[str, Entity] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    def alias(self, name: str, mount_accessor: str) -> Alias | None:
        """The alias of this name on this mount."""
        for one in self.aliases.values():
            if (one.name, one.mount_accessor) == (name, mount_accessor):
                return one
        return None

    def entity_named(self, name: str) -> Entity | None:
        """The entity of this name."""
        return next((e for e in self.entities.values() if e.name == name), None)

    def aliases_of(self, entity: str) -> list[Alias]:
        """An entity's aliases."""
        return [a for a in self.aliases.values() if a.entity == entity]

    def groups_of(self, entity: str) -> list[Group]:
        """The groups that an entity is in."""
        return [g for g in self.groups.values() if entity in g.members]

    def policies(self, entity: str) -> list[str]:
        """What an entity adds to its tokens' policies."""
        found = self.entities.get(entity)
        if found is None:
            return []
        return [*found.policies, *(p for g in self.groups_of(entity) for p in g.policies)]

    def may_act(self, entity: str) -> bool:
        """Whether tokens of the entity may be used; no entity at all is no hindrance."""
        found = self.entities.get(entity)
        return not entity or (found is not None and not found.disabled)

    def drop(self, entity: str) -> None:
        """Delete an entity, its aliases and its memberships."""
        self.entities.pop(entity, None)
        for alias in self.aliases_of(entity):
            del self.aliases[alias.id]
        for group in self.groups_of(entity):
            group.members.remove(entity)

    def shown(self, entity: Entity, mounts: dict[str, Mount]) -> dict[str, Any]:
        """An entity as the API reads it out."""
        groups = [g.id for g in self.groups_of(entity.id)]
        return {
            "aliases": [shown_alias(a, mounts) for a in self.aliases_of(entity.id)],
            "creation_time": stamp(entity.created),
            "direct_group_ids": groups,
            "disabled": entity.disabled,
            "group_ids": groups,
            "id": entity.id,
            "inherited_group_ids": [],
            "last_update_time": stamp(entity.updated),
            "merged_entity_ids": None,
            "metadata": entity.metadata,
            "name": entity.name,
            "namespace_id": "root",
            "policies": list(entity.policies),
        }


def shown_alias(alias: Alias, mounts: dict[str, Mount]) -> dict[str, Any]:
    """An alias as the API reads it out; `mounts` are all there are."""
    at = next((m for m in mounts.values() if m.accessor == alias.mount_accessor), None)
    return {
        "canonical_id": alias.entity,
        "creation_time": stamp(alias.created),
        "custom_metadata": alias.custom,
        "id": alias.id,
        "last_update_time": stamp(alias.updated),
        "local": False,
        "metadata": alias.metadata,
        "mount_accessor": alias.mount_accessor,
        "mount_path": at.path if at else "",
        "mount_type": at.kind if at else "",
        "name": alias.name,
    }
