"""Internal groups over HTTP (API: Identity, Group). Groups in groups are not simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.durations import stamp
from playbooks.drills.range.vault.errors import absent, invalid
from playbooks.drills.range.vault.identity_store import Group
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.wire import Asked


class IdentityGroups(Engine):
    """identity/group. Who writes here can give an entity any policy."""

    kind: ClassVar[str] = "identity"

    @route("POST", "group")
    def write(self, asked: Asked) -> Reply:
        by_id = asked.text("id")
        found = self.core.identity.groups.get(by_id) or self._named(asked.text("name"))
        if by_id and found is None:
            raise invalid("group not found from id")
        return self._written(asked, found, asked.text("name"))

    @route("POST", "group/id/{id}")
    def write_by_id(self, asked: Asked) -> Reply:
        found = self.core.identity.groups.get(asked.named["id"])
        if found is None:
            raise invalid("group not found from id")
        return self._written(asked, found, asked.text("name"))

    @route("POST", "group/name/{name}")
    def write_by_name(self, asked: Asked) -> Reply:
        name = asked.named["name"]
        return self._written(asked, self._named(name), name)

    def _written(self, asked: Asked, found: Group | None, name: str) -> Reply:
        if asked.text("type", "internal") != "internal" or asked.texts("member_group_ids"):
            raise invalid("only internal groups of entities are simulated here")
        known, now = self.core.identity, self.core.now
        members = asked.texts("member_entity_ids", found.members if found else [])
        for member in members:
            if member not in known.entities:
                raise invalid(f"invalid entity ID {member!r}")
        number = self.core.uuid()
        group = found or Group(number, name or f"group_{number[:8]}", now, now)
        group.name = name or group.name
        group.members = members
        group.policies = asked.texts("policies", group.policies)
        metadata = asked.mapping("metadata")
        group.metadata = group.metadata if metadata is None else metadata
        group.updated = now
        known.groups[group.id] = group
        return Reply({"id": group.id, "name": group.name})

    def _named(self, name: str) -> Group | None:
        groups = self.core.identity.groups.values()
        return next((g for g in groups if name and g.name == name), None)

    @route("GET", "group/id/{id}")
    def read_by_id(self, asked: Asked) -> Reply:
        return self._shown(self.core.identity.groups.get(asked.named["id"]))

    @route("GET", "group/name/{name}")
    def read_by_name(self, asked: Asked) -> Reply:
        return self._shown(self._named(asked.named["name"]))

    def _shown(self, group: Group | None) -> Reply:
        if group is None:
            raise absent()
        return Reply(
            {
                "alias": {},
                "creation_time": stamp(group.created),
                "id": group.id,
                "last_update_time": stamp(group.updated),
                "member_entity_ids": list(group.members),
                "member_group_ids": None,
                "metadata": group.metadata,
                "modify_index": 1,
                "name": group.name,
                "parent_group_ids": None,
                "policies": list(group.policies),
                "type": "internal",
            }
        )

    @route("DELETE", "group/id/{id}")
    def delete_by_id(self, asked: Asked) -> Reply:
        self.core.identity.groups.pop(asked.named["id"], None)
        return Reply()

    @route("DELETE", "group/name/{name}")
    def delete_by_name(self, asked: Asked) -> Reply:
        found = self._named(asked.named["name"])
        if found is not None:
            del self.core.identity.groups[found.id]
        return Reply()

    @route("LIST", "group/id")
    def list_by_id(self, asked: Asked) -> Reply:
        return keys(sorted(self.core.identity.groups))

    @route("LIST", "group/name")
    def list_by_name(self, asked: Asked) -> Reply:
        return keys(sorted(g.name for g in self.core.identity.groups.values()))
