"""Destroy the compromised versions of a secret; deleting would leave them to be undeleted."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen
from actions.errors import NothingToDoError, UnfitError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault import kv_secret
from actions.vault.clients import Vault
from actions.vault.policy import may


@dataclass(frozen=True)
class DestroyKvVersions(OneWay[Vault]):
    """Destroy versions of a KV version 2 secret, but never the one that is current.

    The result is {"destroyed": [version, ...]}. Write the new version first (write_kv_version)
    and see its readers use it (Vault API docs, "KV secrets engine - version 2", "Destroy secret
    versions"; a delete is soft and can be undone by whoever may undelete).
    """

    vault: str
    mount: str
    path: str
    versions: tuple[int, ...]

    permissions: ClassVar = (
        *may("{kv}/metadata/*", "read"),
        *may("{kv}/destroy/*", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/{self.mount}/{self.path}"

    def facts(self, p: Vault) -> Result:
        found = kv_secret.needed(p, self.mount, self.path)
        return {"current": found["current_version"], "left": self._left(found["versions"])}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if before["current"] in self.versions:
            raise UnfitError(
                f"version {before['current']} of {self.mount}/{self.path} is current: its readers "
                "would get nothing. Write a new version first (write_kv_version)."
            )
        if not before["left"]:
            raise NothingToDoError(f"none of these versions of {self.path} holds anything.")
        listed = ", ".join(map(str, before["left"]))
        return Foreseen(lost=(f"what {self.mount}/{self.path} held in version {listed}",))

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        p.client.secrets.kv.v2.destroy_secret_versions(
            self.path, list(self.versions), mount_point=self.mount
        )

    def find(self, p: Vault, mark: str) -> Result | None:
        left = self._left(kv_secret.needed(p, self.mount, self.path)["versions"])
        return None if left else {"destroyed": list(self.versions)}

    def _left(self, versions: State) -> list[int]:
        """Return those that hold something; the oldest go by themselves, and count as gone."""
        held = {int(v) for v, told in versions.items() if not told["destroyed"]}
        return sorted(held & set(self.versions))
