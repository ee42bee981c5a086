"""What an attacker may have left in a Vault: ways in, rights, tokens that last, eyes put out."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from evidence.sources.item import Item, Missed
from evidence.sources.vault_ask import VAULT, Vaults
from evidence.sources.vault_facts import VaultFacts
from evidence.sources.vault_left import AT, Finding, Left, baseline_of


@dataclass(frozen=True, slots=True)
class VaultSweep:
    """Look for what was made or turned off since `start` (aware), or differs from a baseline.

    `account` is the Vault's name; `baseline` is what `baseline` gave of an earlier sweep, or
    empty. Vault tells no time of mounts, policies and audit devices: without a baseline those are
    `sure` only where nobody would have made them. Reads what VaultFacts reads.
    """

    account: str
    start: datetime
    baseline: str = ""
    region: str = VAULT

    name: ClassVar[str] = "vault_sweep"
    permissions: ClassVar[tuple[str, ...]] = ()
    paths: ClassVar[Mapping[str, tuple[str, ...]]] = VaultFacts.paths

    def collect(self, clients: Vaults) -> Iterator[Item | Missed]:
        """Yield an item or a miss for each question."""
        yield from VaultFacts(self.account).collect(clients)

    def findings(self, items: Iterable[Item]) -> tuple[Finding, ...]:
        """Return what was found in the items, sorted by kind and name."""
        known: dict[str, Any] = json.loads(self.baseline) if self.baseline else {}
        return Left(_pages(items), self.start, known).findings()


def baseline(items: Iterable[Item]) -> str:
    """Return what a later sweep compares with, as JSON; it holds names and digests only."""
    return json.dumps(baseline_of(_pages(items)), sort_keys=True)


def _pages(items: Iterable[Item]) -> dict[str, list[dict[str, Any]]]:
    """Return the answers by item, each of a role or user with the path that it is at."""
    found = {}
    for item in items:
        told = json.loads(item.data)
        pages = told["pages"]
        if item.name.endswith((".roles", ".users")):
            pages = [
                page | {AT: path} for path, page in zip(told["parameters"], pages, strict=True)
            ]
        found[item.name] = pages
    return found
