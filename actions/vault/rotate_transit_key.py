"""Give a transit key a new version, so that what is encrypted from now on is out of reach."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen
from actions.errors import NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.policy import may
from actions.vault.raise_min_decryption import key_facts


@dataclass(frozen=True)
class RotateTransitKey(OneWay[Vault]):
    """Rotate a transit key away from `version`, the latest that is compromised.

    The result is {"latest_version": n}. What is encrypted stays so under the old version until
    its owners rewrap it; then raise_min_decryption refuses the old one (Vault API docs, "Transit
    secrets engine", "Rotate key", "Rewrap data").
    """

    vault: str
    mount: str
    key: str
    version: int

    destroys: ClassVar[bool] = False
    permissions: ClassVar = (
        *may("{transit}/keys/+", "read"),
        *may("{transit}/keys/+/rotate", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/{self.mount}/keys/{self.key}"

    def facts(self, p: Vault) -> Result:
        return {"latest_version": key_facts(p, self.mount, self.key)["latest_version"]}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if before["latest_version"] > self.version:
            raise NothingToDoError(
                f"transit key {self.key} was rotated away from version {self.version} already."
            )
        return Foreseen((f"what {self.key} encrypted until now is to be rewrapped by its owners",))

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        p.client.secrets.transit.rotate_key(self.key, mount_point=self.mount)

    def find(self, p: Vault, mark: str) -> Result | None:
        found = self.facts(p)
        return found if found["latest_version"] > self.version else None
