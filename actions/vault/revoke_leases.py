"""Take back all that was given out under a path: database users, AWS keys, logins."""

from dataclasses import dataclass
from typing import ClassVar

from hvac import exceptions

from actions.action import Foreseen
from actions.errors import NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result, Underway
from actions.vault.clients import Vault
from actions.vault.lease_tree import LISTING, irrevocable, leases_under
from actions.vault.own import own
from actions.vault.policy import may

# How a backend says that it is asked too often, in the text of Vault's error. Sources: IAM and
# STS "Common errors"; PostgreSQL error 53300.
THROTTLED = ("throttl", "rate exceeded", "too many", "limit exceeded", "slow down", "timeout")


@dataclass(frozen=True)
class RevokeLeases(OneWay[Vault]):
    """Revoke every lease under a prefix, one by one and synchronously, until none is left.

    The result is {"irrevocable": [lease id, ...]}: what Vault has given up on, whose credential
    still works and has to be ended where it is from, before force_revoke_leases lets go of it.
    `sync` makes Vault answer when it is done and not when it is queued. A lease that fails is
    queued, for Vault to try again and in the end to call irrevocable; a backend that throttles
    ends the part (Vault API docs, "/sys/leases"; a whole prefix at once fails at IAM's limits).
    """

    vault: str
    prefix: str

    part: ClassVar[int] = 40  # leases in one part: with `pace`, under 40 a second
    limit: ClassVar[float] = 960.0  # Vault tries six times, each twice as late: up to 930 s
    pace: ClassVar[float] = 1.0
    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("sys/leases/revoke", "update"),
        *LISTING,
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/leases/{self.prefix.strip('/')}"

    def facts(self, p: Vault) -> Result:
        own(p).spare_prefix(self.prefix)
        held, lost = leases_under(p, self.prefix), irrevocable(p)
        return {"leases": len(held), "irrevocable": [i for i in held if i in lost]}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if not before["leases"]:
            raise NothingToDoError(f"Vault {self.vault} has no lease under {self.prefix}.")
        return Foreseen(
            blast=(f"{before['leases']} credentials under {self.prefix} end",),
            lost=(
                "every one of them, those of the innocent too; they have to ask again",
                "what has no lease is not reached: STS sessions of an AWS engine (deny them in "
                "AWS), batch tokens (they run out)",
            ),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        own(p).spare_prefix(self.prefix)
        lost = irrevocable(p)
        for lease in [i for i in leases_under(p, self.prefix) if i not in lost][: self.part]:
            if not _revoked(p, lease):
                return

    def find(self, p: Vault, mark: str) -> Result | Underway:
        held, lost = leases_under(p, self.prefix), irrevocable(p)
        left = [i for i in held if i not in lost]
        return Underway(len(left)) if left else {"irrevocable": held}


def _revoked(p: Vault, lease: str) -> bool:
    """Revoke one lease or have Vault try it later; return whether to go on with the next."""
    try:
        p.post("sys/leases/revoke", {"lease_id": lease, "sync": True})
    except (exceptions.InvalidRequest, exceptions.InternalServerError) as error:
        said = str(error.errors or error.text or "").lower()
        if any(word in said for word in THROTTLED):
            return False
        p.post("sys/leases/revoke", {"lease_id": lease, "sync": False})
    return True
