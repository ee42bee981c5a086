"""How what is done in a Vault is broken, in the process that a drill starts; see the scenario."""

from typing import Any

from actions.vault.revoke_leases import RevokeLeases
from evidence.sources.vault_audit_hunt import VaultAuditHunt
from evidence.sources.vault_sweep import VaultSweep
from playbooks.case import vault_reach
from playbooks.drills.breaking import put


def no_revocation() -> None:
    """Leases are said to be revoked, and are not; those of a token go with it all the same."""
    put(RevokeLeases, "do", lambda self, p, mark, approval: None)
    put(RevokeLeases, "find", lambda self, p, mark: {"irrevocable": []})


def no_sweep() -> None:
    """Nothing that an attacker left is ever found."""
    put(VaultSweep, "findings", lambda source, items: ())


def no_reach() -> None:
    """No policy allows anything."""

    def nothing(policies: Any, held: Any) -> tuple[()]:
        return ()

    put(vault_reach, "reached", nothing)


def no_hunt() -> None:
    """No line of any audit log carries anything."""
    put(VaultAuditHunt, "collect", lambda source, clients: iter(()))
