"""What a Vault was like before: kept in a file by `stanch vault baseline`, compared with later."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actions.vault.clients import Vault
from evidence.sources.item import Item
from evidence.sources.vault_facts import VaultFacts
from evidence.sources.vault_sweep import baseline
from playbooks.errors import SettingsError

if TYPE_CHECKING:
    from playbooks.wiring.settings import Settings


@dataclass(frozen=True, slots=True)
class Known:
    """`sweep` is what a sweep compares with, or empty; `policies` are texts by name.

    `audit` is each device as Vault told of it, by its path without the last slash.
    """

    sweep: str = ""
    policies: dict[str, str] = field(default_factory=dict)
    audit: dict[str, dict[str, Any]] = field(default_factory=dict)

    def text(self) -> str:
        """Return it as the file holds it."""
        told = {"sweep": self.sweep, "policies": self.policies, "audit": self.audit}
        return json.dumps(told, indent=1, sort_keys=True) + "\n"


def path_of(settings: "Settings", vault: str) -> Path:
    """Return the file that a Vault's baseline is in."""
    return settings.home / "vaults" / f"{vault}.json"


def known(settings: "Settings", vault: str) -> Known:
    """Return the baseline; an empty one where none was taken. Raise SettingsError on a bad file."""
    path = path_of(settings, vault)
    if not path.is_file():
        return Known()
    try:
        return Known(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise SettingsError(
            f"{path} is no baseline of a Vault ({type(error).__name__}). Put the file back that "
            f"`stanch vault baseline {vault}` wrote, or remove it to go without."
        ) from None


def gathered(p: Vault) -> tuple[Known, list[str]]:
    """Return what the Vault is like now, and what it did not tell; no secret is read."""
    found = list(VaultFacts(p.name).collect(p))
    items = [one for one in found if isinstance(one, Item)]
    pages = {one.name: json.loads(one.data)["pages"] for one in items}
    policies = {page["name"]: page["policy"] for page in pages.get("vault.policies", [])}
    devices = {
        path.rstrip("/"): {k: told.get(k) for k in ("type", "description", "options")}
        for page in pages.get("vault.audit", [])
        for path, told in page.items()
        if path.endswith("/")
    }
    missed = [one.call for one in found if not isinstance(one, Item)]
    return Known(baseline(items), policies, devices), missed
