"""Give Vault's own user in a database another password, that only Vault knows."""

from dataclasses import dataclass
from typing import ClassVar

from hvac import exceptions

from actions.action import Foreseen
from actions.errors import TargetGoneError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.policy import may


@dataclass(frozen=True)
class RotateDatabaseRoot(OneWay[Vault]):
    """Rotate the root credentials of a database connection.

    The result is {"username": whose password it is}. Vault tells of no rotation afterwards, and
    of no password ever, so this is never verified: it is known from Vault's answer alone, and is
    done again after a crash, which does no harm. See that the old password fails, in the database
    (Vault API docs, "Database secrets engine", "Rotate root credentials", "Read connection").
    """

    vault: str
    mount: str
    connection: str

    shows: ClassVar[bool] = False
    remakes: ClassVar[bool] = True
    permissions: ClassVar = (
        *may("{database}/config/+", "read"),
        *may("{database}/rotate-root/+", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/{self.mount}/config/{self.connection}"

    def facts(self, p: Vault) -> Result:
        try:
            answer = p.client.secrets.database.read_connection(
                self.connection, mount_point=self.mount
            )
        except exceptions.InvalidPath as error:
            raise TargetGoneError(
                f"connection {self.mount}/{self.connection} does not exist (any more)."
            ) from error
        return {"username": answer["data"]["connection_details"].get("username", "")}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        user = before["username"] or "the connection's user"
        return Foreseen(
            blast=(f"whoever else logs in to the database as {user} is locked out",),
            lost=(f"the password of {user}: nobody but Vault knows the new one",),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        p.client.secrets.database.rotate_root_credentials(self.connection, mount_point=self.mount)

    def find(self, p: Vault, mark: str) -> Result:
        return self.facts(p)
