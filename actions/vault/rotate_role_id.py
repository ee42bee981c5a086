"""Give an AppRole role another role id, so that the half that was known fits nothing."""

from dataclasses import dataclass
from typing import ClassVar

from hvac import exceptions

from actions.action import Foreseen
from actions.errors import TargetGoneError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.own import own
from actions.vault.policy import may


@dataclass(frozen=True)
class RotateRoleId(OneWay[Vault]):
    """Replace the role id by a new random one that carries the step's mark.

    The result is {"rotated": True}; the id itself is half of a credential and is told to nobody,
    whoever deploys the role reads it from Vault. Whoever logs in with the old one fails from now
    on (Vault API docs, "AppRole auth method", "Update AppRole role ID").
    """

    vault: str
    mount: str
    role: str

    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("auth/{approle}/role/+/role-id", "read", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/auth/{self.mount}/{self.role}"

    def foresee(self, p: Vault, before: State) -> Foreseen:
        own(p).spare_login(f"auth/{self.mount}", self.role)
        self._role_id(p)
        return Foreseen(
            blast=(f"whoever logs in as {self.role} needs the new role id",),
            lost=("the old role id",),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        p.client.auth.approle.update_role_id(
            self.role, f"{_made(mark)}{p.chance(24)}", mount_point=self.mount
        )

    def find(self, p: Vault, mark: str) -> Result | None:
        return {"rotated": True} if self._role_id(p).startswith(_made(mark)) else None

    def _role_id(self, p: Vault) -> str:
        try:
            answer = p.client.auth.approle.read_role_id(self.role, mount_point=self.mount)
        except exceptions.InvalidPath as error:
            raise TargetGoneError(
                f"role {self.role} of auth/{self.mount} does not exist (any more)."
            ) from error
        return str(answer["data"]["role_id"])


def _made(mark: str) -> str:
    return f"stanch-{mark}-"
