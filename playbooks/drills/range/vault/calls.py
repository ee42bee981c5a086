"""What was asked of the simulated Vault, in order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One request answered. `accessor` is the token's, empty without a token or for a batch one;
    `at` is the world's time in epoch seconds."""

    method: str
    path: str
    accessor: str
    status: int
    at: float
