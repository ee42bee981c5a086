"""Stop somebody who is making a root token out of key shares."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen
from actions.errors import NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.policy import may


@dataclass(frozen=True)
class CancelRootGeneration(OneWay[Vault]):
    """Cancel the root generation of this nonce; the shares that were given for it are forgotten.

    The result is {"started": whether another one is under way}. Whoever holds enough shares can
    begin again: rekey with new holders, by hand (Vault API docs, "/sys/generate-root").
    """

    vault: str
    nonce: str

    # Most servers ask for no token here; one that is told to (OpenBao can be) asks for these.
    permissions: ClassVar = may("sys/generate-root/attempt", "read", "delete", "sudo")

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/generate-root/{self.nonce}"

    def facts(self, p: Vault) -> Result:
        found = p.client.sys.read_root_generation_progress()
        return {k: found[k] for k in ("started", "nonce", "progress", "required")}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if not before["started"] or before["nonce"] != self.nonce:
            raise NothingToDoError(f"no root generation {self.nonce} is under way.")
        given = f"{before['progress']} of {before['required']} key shares"
        return Foreseen(lost=(f"the {given} that were given; a rightful one begins anew",))

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        if self.facts(p)["nonce"] == self.nonce:
            p.client.sys.cancel_root_generation()

    def find(self, p: Vault, mark: str) -> Result | None:
        found = self.facts(p)
        if found["started"] and found["nonce"] == self.nonce:
            return None
        return {"started": found["started"]}
