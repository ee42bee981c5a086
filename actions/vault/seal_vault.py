"""Seal a Vault: nobody gets anything out of it, the innocent and Stanch itself included."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen
from actions.errors import ApprovalMissingError, NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.policy import may


@dataclass(frozen=True)
class SealVault(OneWay[Vault]):
    """Seal it, the last resort, on two approvals.

    A play asks once without `seconded`, and again with the question that the first yes answered;
    that is another target, and so another question. It acts on the second yes, and only if
    another person gave it:

        if first := await case.ask(SealVault(vault)):
            seal = SealVault(vault, seconded=first.question)
            second = await case.ask(seal)
            if second and second.approver != first.approver:
                await case.act(seal, second)

    The result is {"sealed": True}. Only the holders of the unseal keys open it again, by hand
    (Vault API docs, "/sys/seal", "/sys/seal-status").
    """

    vault: str
    seconded: str = ""

    # The seal status is told to anybody.
    permissions: ClassVar = may("sys/seal", "update", "sudo")

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/seal" + (f"/after/{self.seconded}" if self.seconded else "")

    def facts(self, p: Vault) -> Result:
        found = p.client.sys.read_seal_status()
        return {"sealed": found["sealed"], "threshold": found["t"], "shares": found["n"]}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if before["sealed"]:
            raise NothingToDoError(f"Vault {self.vault} is sealed.")
        return Foreseen(
            blast=(f"nothing that needs Vault {self.vault} works until it is unsealed",),
            lost=(
                f"it opens again only by {before['threshold']} of {before['shares']} key holders, "
                "or by its auto-unseal",
                "Stanch can do nothing more in it meanwhile",
            ),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        if not self.seconded or self.seconded == approval:
            raise ApprovalMissingError(
                f"sealing Vault {self.vault} takes two approvals by two people. Ask a second time "
                "and name the first as `seconded`."
            )
        p.client.sys.seal()

    def find(self, p: Vault, mark: str) -> Result | None:
        return {"sealed": True} if p.client.sys.is_sealed() else None
