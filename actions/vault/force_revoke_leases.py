"""Let go of leases that Vault cannot revoke: their credentials are then nobody's to end."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen
from actions.errors import NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.lease_tree import leases_under
from actions.vault.own import own
from actions.vault.policy import may


@dataclass(frozen=True)
class ForceRevokeLeases(OneWay[Vault]):
    """Make Vault forget every lease under a prefix, whatever the backend says.

    The result is {"abandoned": True}; which leases those were stands in the plan. Errors of the
    backend are ignored, so a database user or an access key may live on (Vault API docs,
    "/sys/leases", "Revoke force"). Only once it is ended at its source, or known to be harmless.
    """

    vault: str
    prefix: str

    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("sys/leases/lookup/*", "list", "sudo"),
        *may("sys/leases/revoke-force/*", "update", "sudo"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/leases/{self.prefix.strip('/')}"

    def facts(self, p: Vault) -> Result:
        own(p).spare_prefix(self.prefix)
        return {"leases": leases_under(p, self.prefix)}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if not before["leases"]:
            raise NothingToDoError(f"Vault {self.vault} has no lease under {self.prefix}.")
        return Foreseen(
            blast=(f"{len(before['leases'])} leases under {self.prefix} are abandoned",),
            lost=("what Vault knew of these credentials; each may go on working for good",),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        own(p).spare_prefix(self.prefix)
        p.client.sys.revoke_force(self.prefix.strip("/"))

    def find(self, p: Vault, mark: str) -> Result | None:
        return None if leases_under(p, self.prefix) else {"abandoned": True}
