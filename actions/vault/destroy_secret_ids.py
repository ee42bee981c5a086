"""Destroy secret ids of an AppRole role, so that whoever holds one cannot log in with it."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen
from actions.errors import NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result, Underway
from actions.vault.clients import Vault
from actions.vault.own import own
from actions.vault.policy import may


@dataclass(frozen=True)
class DestroySecretIds(OneWay[Vault]):
    """Destroy the secret ids of these accessors; without accessors, all that the role has.

    The result is {"left": [accessor, ...]}, the role's others. Tokens that they gave live on: see
    revoke_tokens (Vault API docs, "AppRole auth method", "Destroy AppRole secret ID accessor").
    """

    vault: str
    mount: str
    role: str
    accessors: tuple[str, ...] = ()

    part: ClassVar[int] = 100
    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("auth/{approle}/role/+/secret-id/", "list"),
        *may("auth/{approle}/role/+/secret-id-accessor/destroy", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/auth/{self.mount}/{self.role}"

    def facts(self, p: Vault) -> Result:
        return {"accessors": self._meant(self._there(p))}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        own(p).spare_login(f"auth/{self.mount}", self.role)
        if not before["accessors"]:
            raise NothingToDoError(f"role {self.role} of auth/{self.mount} has none of these.")
        count = len(before["accessors"])
        return Foreseen(
            blast=(f"{count} secret ids of {self.role} cannot log in any more",),
            lost=("each of them; its holder needs a new one (issue_secret_id)",),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        own(p).spare_login(f"auth/{self.mount}", self.role)
        for accessor in self._meant(self._there(p))[: self.part]:
            p.client.auth.approle.destroy_secret_id_accessor(
                self.role, accessor, mount_point=self.mount
            )

    def find(self, p: Vault, mark: str) -> Result | Underway:
        there = self._there(p)
        left = self._meant(there)
        return Underway(len(left)) if left else {"left": there}

    def _there(self, p: Vault) -> list[str]:
        return sorted(p.names(f"auth/{self.mount}/role/{self.role}/secret-id"))

    def _meant(self, there: list[str]) -> list[str]:
        return [a for a in there if not self.accessors or a in self.accessors]
