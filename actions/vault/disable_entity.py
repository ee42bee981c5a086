"""Make every token of one identity useless, however it logged in, without revoking any."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hvac import exceptions

from actions.action import Foreseen, Lens, Takes
from actions.errors import TargetGoneError
from actions.journal import Json, State
from actions.vault.clients import Vault
from actions.vault.own import own
from actions.vault.policy import may


@dataclass(frozen=True)
class DisableEntity(Lens[Vault]):
    """Disable an identity entity: its tokens cannot be used, nor can it log in, until undone.

    State: `disabled` is a boolean (Vault API docs, "Identity secrets engine: entity"). Leases of
    its tokens live on: what they stand for in a database or in AWS works until revoke_leases.
    """

    vault: str
    entity: str

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("identity/entity/id/+", "read", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/entity/{self.entity}"

    def read(self, p: Vault) -> Mapping[str, Json]:
        try:
            found = p.client.secrets.identity.read_entity(self.entity)["data"]
        except exceptions.InvalidPath as error:
            raise TargetGoneError(
                f"entity {self.entity} of Vault {self.vault} does not exist (any more)."
            ) from error
        return {"disabled": bool(found["disabled"])}

    def wanted(self, before: State) -> State:
        return {"disabled": True}

    def write(self, p: Vault, key: str, value: Json) -> None:
        p.client.secrets.identity.update_entity(self.entity, disabled=value)

    def foresee(self, p: Vault, before: State) -> Foreseen:
        own(p).spare_entity(self.entity)
        return Foreseen((f"every token of entity {self.entity} stops working",))
