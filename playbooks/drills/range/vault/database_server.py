"""The databases that the database engine talks to: accounts with passwords, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

from playbooks.drills.range.vault.errors import BackendError


@dataclass(slots=True)
class DatabaseServer:
    """One database. `down` answers nobody; `accounts`: name -> password."""

    accounts: dict[str, str] = field(default_factory=dict, repr=False)
    down: bool = False

    def log_in(self, name: str, password: str) -> bool:
        """Whether a client with this name and password gets in."""
        return not self.down and self.accounts.get(name) == password

    def connect(self, name: str, password: str) -> None:
        """Open a connection; raises BackendError when it is down or lets the account not in."""
        if self.down:
            raise BackendError("error verifying connection: connection refused")
        if not self.log_in(name, password):
            raise BackendError(
                f"error verifying connection: password authentication failed for user {name!r}"
            )
