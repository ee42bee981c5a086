"""Take a login away from an identity: one by which an attacker became somebody else."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen
from actions.errors import NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.own import own
from actions.vault.policy import may


@dataclass(frozen=True)
class RemoveAlias(OneWay[Vault]):
    """Delete an entity alias; who logs in so gets an entity of their own the next time.

    The result is {"gone": True}. Made again, an alias has another id, so there is no way back to
    this one. Tokens that it gave keep the entity: revoke_tokens (Vault API docs, "Identity secrets
    engine: entity alias").
    """

    vault: str
    alias: str

    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("identity/entity-alias/id/+", "read", "delete"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/alias/{self.alias}"

    def facts(self, p: Vault) -> Result:
        found = p.get(f"identity/entity-alias/id/{self.alias}") or {}
        return {k: found.get(k, "") for k in ("name", "mount_path", "canonical_id")}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        own(p).spare_entity(before["canonical_id"])
        if not before["canonical_id"]:
            raise NothingToDoError(f"Vault {self.vault} has no alias {self.alias}.")
        entity, name = before["canonical_id"], f"{before['name']} of {before['mount_path']}"
        return Foreseen(
            blast=(f"{name} does not log in as entity {entity} any more",),
            lost=(f"alias {self.alias}; one that is made again has another id",),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        p.client.secrets.identity.delete_entity_alias(self.alias)

    def find(self, p: Vault, mark: str) -> Result | None:
        return None if self.facts(p)["canonical_id"] else {"gone": True}
