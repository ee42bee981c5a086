"""Give a database user that Vault looks after a new password."""

from dataclasses import dataclass
from typing import ClassVar

from hvac import exceptions

from actions.action import Foreseen
from actions.errors import NothingToDoError, TargetGoneError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.policy import may


@dataclass(frozen=True)
class RotateStaticRole(OneWay[Vault]):
    """Rotate a static role's password away from the one that Vault set at `rotated`.

    `rotated` is its last_vault_rotation as it was found, in Vault's own spelling; the result is
    {"last_vault_rotation": the later one}. A connection that is open goes on: databases check the
    password when one is made (Vault API docs, "Database secrets engine", "Rotate static role
    credentials", "Read static role").
    """

    vault: str
    mount: str
    role: str
    rotated: str

    permissions: ClassVar = (
        *may("{database}/static-roles/+", "read"),
        *may("{database}/rotate-role/+", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/{self.mount}/static-roles/{self.role}"

    def facts(self, p: Vault) -> Result:
        try:
            answer = p.client.secrets.database.read_static_role(self.role, mount_point=self.mount)
        except exceptions.InvalidPath as error:
            raise TargetGoneError(
                f"static role {self.mount}/{self.role} does not exist (any more)."
            ) from error
        return {"last_vault_rotation": answer["data"]["last_vault_rotation"]}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if before["last_vault_rotation"] != self.rotated:
            raise NothingToDoError(
                f"static role {self.role} was rotated at {before['last_vault_rotation']} already."
            )
        return Foreseen(
            blast=(f"whoever keeps the password of {self.role} has to read it again",),
            lost=("the old password",),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        p.client.secrets.database.rotate_static_role_credentials(self.role, mount_point=self.mount)

    def find(self, p: Vault, mark: str) -> Result | None:
        found = self.facts(p)
        return None if found["last_vault_rotation"] == self.rotated else found
